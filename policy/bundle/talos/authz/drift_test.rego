package talos.authz_test

import data.talos.authz

careful := {"/x/Careful": {"roles": ["os:admin"], "undrifted": true}}

on_node(compliance) := object.union(call("/x/Careful", ["os:admin"]), {"node": {"compliance": compliance}})

test_clean_nodes_serve if {
	d := authz.decision with input as on_node({"state": "clean", "drift": []}) with data.talos.authz.methods as careful
	d.allow
}

test_drifted_nodes_refuse if {
	reading := {"state": "drifted", "drift": [{"kind": "sysctl", "subject": "kernel.sysrq", "since": 1}]}
	d := authz.decision with input as on_node(reading) with data.talos.authz.methods as careful
	not d.allow
	d.reason == "node_drifted"
	d.sentence == "Careful is served only by nodes without drift; this one drifted: sysctl kernel.sysrq"
}

test_unread_nodes_refuse if {
	d := authz.decision with input as on_node({"state": "unknown", "drift": []}) with data.talos.authz.methods as careful
	d.reason == "node_drifted"
	d.sentence == "Careful is served only by nodes without drift; this one has not been read"
}

test_nodes_without_reading_refuse if {
	d := authz.decision with input as call("/x/Careful", ["os:admin"]) with data.talos.authz.methods as careful
	d.reason == "node_drifted"
}
