package talos.authz_test

import data.talos.authz

reboot := "/talos.machine.v1.MachineService/Reboot"

call(method, roles) := {
	"method": method,
	"caller": {"name": "alice", "roles": roles, "anonymous": false},
	"node": {"attested": false, "attestation": "unknown"},
	"approvals": [],
	"time": 1000,
}

test_admin_may_reboot if {
	d := authz.decision with input as call(reboot, ["os:admin"])
	d.allow
	d.reason == "role_allowed"
	d.record == "fail_closed"
}

test_reader_may_not_reboot if {
	d := authz.decision with input as call(reboot, ["os:reader"])
	not d.allow
	d.reason == "role_not_allowed"
	d.sentence == "Reboot needs one of the roles os:admin, os:operator"
}

test_unknown_method_is_denied if {
	d := authz.decision with input as call("/talos.machine.v1.MachineService/Wipe", ["os:admin"])
	not d.allow
	d.reason == "no_rule"
}

test_anonymous_may_enroll_only_with_token if {
	changed := object.union(call("/talos.trust.v1.TrustService/Enroll", []), {"caller": {"name": "", "anonymous": true}})
	d := authz.decision with input as changed
	d.allow
	d.reason == "open_method"
}

test_anonymous_may_not_read if {
	changed := object.union(call("/talos.machine.v1.MachineService/Version", []), {"caller": {"name": "", "anonymous": true}})
	d := authz.decision with input as changed
	not d.allow
	d.reason == "anonymous_not_allowed"
}

test_node_with_other_roles_is_denied if {
	d := authz.decision with input as call(reboot, ["os:node", "os:admin"])
	not d.allow
	d.reason == "node_with_other_roles"
}

test_own_roles if {
	d := authz.decision with input as call(reboot, ["team:blue"]) with data.talos.roles as {"team:blue": {"methods": [reboot]}}
	d.allow
}

wipe := {"/x/Wipe": {"roles": ["os:admin"], "record": "fail_closed", "second_person": true}}

test_second_person_is_asked_for if {
	d := authz.decision with input as call("/x/Wipe", ["os:admin"]) with data.talos.authz.methods as wipe
	not d.allow
	d.reason == "needs_second_person"
	d.obligations[0].id == "second_person"
}

approval(by) := {"id": "a1", "by": by, "roles": ["os:admin"], "at": 900, "expires_at": 2000}

test_second_person_approves if {
	changed := object.union(call("/x/Wipe", ["os:admin"]), {"approvals": [approval("bob")]})
	d := authz.decision with input as changed with data.talos.authz.methods as wipe
	d.allow
}

test_nobody_approves_for_themselves if {
	changed := object.union(call("/x/Wipe", ["os:admin"]), {"approvals": [approval("alice")]})
	d := authz.decision with input as changed with data.talos.authz.methods as wipe
	d.reason == "needs_second_person"
}

test_expired_approval if {
	changed := object.union(call("/x/Wipe", ["os:admin"]), {"approvals": [object.union(approval("bob"), {"expires_at": 1000})]})
	d := authz.decision with input as changed with data.talos.authz.methods as wipe
	d.reason == "needs_second_person"
}

test_attested_nodes_only if {
	rules := {"/x/Secret": {"roles": ["os:admin"], "attested": true}}
	d := authz.decision with input as call("/x/Secret", ["os:admin"]) with data.talos.authz.methods as rules
	d.reason == "node_not_attested"
}

fetch := "/talos.audit.v1.AuditService/Fetch"

test_auditor_may_fetch_the_record if {
	d := authz.decision with input as call(fetch, ["os:auditor"])
	d.allow
}

test_reader_may_not_fetch_the_record if {
	d := authz.decision with input as call(fetch, ["os:reader"])
	not d.allow
	d.reason == "role_not_allowed"
}

test_second_person_for_everything_critical if {
	d := authz.decision with input as call(reboot, ["os:admin"]) with data.talos.second_person as {"critical": true, "methods": []}
	d.reason == "needs_second_person"
}

test_second_person_for_what_is_named if {
	named := {"critical": false, "methods": [reboot]}
	d := authz.decision with input as call(reboot, ["os:operator"]) with data.talos.second_person as named
	d.reason == "needs_second_person"
	other := authz.decision with input as call("/talos.machine.v1.MachineService/Version", ["os:admin"]) with data.talos.second_person as named
	other.allow
}

test_an_approver_must_hold_a_role_of_the_method if {
	reader := object.union(approval("bob"), {"roles": ["os:reader"]})
	changed := object.union(call("/x/Wipe", ["os:admin"]), {"approvals": [reader]})
	d := authz.decision with input as changed with data.talos.authz.methods as wipe
	d.reason == "needs_second_person"
}

test_shipped_data_is_valid if {
	count(authz.invalid) == 0
}

test_invalid_data_is_named if {
	found := authz.invalid with data.talos.second_person as {"critical": "yes", "methods": ["/x/Typo"]}
		with data.talos.roles as {"team:blue": {"methods": ["/x/Other"]}, "os:root": {"methods": []}}
	count(found) == 4
}

rotate := "/talos.trust.v1.TrustService/AuthorityRotate"

test_admin_may_change_the_authority if {
	d := authz.decision with input as call(rotate, ["os:admin"])
	d.allow
	d.record == "fail_closed"
}

test_operator_may_see_the_authority_and_not_change_it if {
	d := authz.decision with input as call("/talos.trust.v1.TrustService/AuthorityStatus", ["os:operator"])
	d.allow
	e := authz.decision with input as call(rotate, ["os:operator"])
	not e.allow
}

test_node_follows_the_trust_and_says_so if {
	d := authz.decision with input as call("/talos.trust.v1.TrustService/TrustUpdates", ["os:node"])
	d.allow
	e := authz.decision with input as call("/talos.trust.v1.TrustService/TrustAcknowledge", ["os:node"])
	e.allow
	f := authz.decision with input as call("/talos.trust.v1.TrustService/TrustAcknowledge", ["os:admin"])
	not f.allow
}

record_status := "/talos.audit.v1.AuditService/Status"

test_operator_may_see_how_the_record_is_doing if {
	d := authz.decision with input as call(record_status, ["os:operator"])
	d.allow
}

test_reader_may_not_see_how_the_record_is_doing if {
	d := authz.decision with input as call(record_status, ["os:reader"])
	not d.allow
}

test_nodes_alone_look_after_records if {
	some name in ["AddCheckpoint", "Offer", "AddCosignature"]
	method := $"/talos.witness.v1.WitnessService/{name}"
	d := authz.decision with input as call(method, ["os:node"])
	d.allow
	e := authz.decision with input as call(method, ["os:admin"])
	not e.allow
}

test_people_reach_nodes_through_others_and_nodes_alone_carry if {
	every role in {"os:admin", "os:operator", "os:reader", "os:auditor", "os:enroller"} {
		d := authz.decision with input as call("/talos.relay.v1.RelayService/Connect", [role])
		d.allow
		e := authz.decision with input as call("/talos.relay.v1.RelayService/Accept", [role])
		not e.allow
	}
	d := authz.decision with input as call("/talos.relay.v1.RelayService/Accept", ["os:node"])
	d.allow
	e := authz.decision with input as call("/talos.relay.v1.RelayService/Connect", ["os:node"])
	not e.allow
}

test_an_approver_may_hold_an_own_role if {
	blue := object.union(approval("bob"), {"roles": ["team:blue"]})
	changed := object.union(call("/x/Wipe", ["os:admin"]), {"approvals": [blue]})
	d := authz.decision with input as changed with data.talos.authz.methods as wipe with data.talos.roles as {"team:blue": {"methods": ["/x/Wipe"]}}
	d.allow
}

knows(state) := object.union(call(reboot, ["os:admin"]), {"time": 10000000000000, "node": {"revocations": state}})

test_old_or_unknown_revocations_let_only_fresh_certificates_in if {
	every state in {"old", "unknown"} {
		aged := object.union(knows(state), {"caller": {"issued_at": 0}})
		d := authz.decision with input as aged
		not d.allow
		d.reason == "revocations_not_known"
		young := object.union(knows(state), {"caller": {"issued_at": 9999000000000}})
		f := authz.decision with input as young
		f.reason != "revocations_not_known"
	}
	current := object.union(knows("current"), {"caller": {"issued_at": 0}})
	e := authz.decision with input as current
	e.reason != "revocations_not_known"
	authz.revocations_old_after == 28800000000000
}
