package talos.issuance_test

import data.talos.issuance

hour := 3600000000000

now := 1000000 * hour

ask(way, kind, request, basis) := {
	"way": way,
	"kind": kind,
	"source_ip": "192.0.2.9",
	"time": now,
	"request": object.union({"name": "", "roles": [], "dns": [], "addresses": [], "others": []}, request),
	"basis": object.union(
		{"title": "the thing shown", "name": "", "roles": [], "dns": [], "addresses": [], "approved_by": "", "claims": {}, "bound_to_key": false, "group_roles": []},
		basis,
	),
}

rack := {"dns": ["worker-*"], "addresses": ["10.0.0.0/8"]}

worker := {"name": "worker-1", "dns": ["worker-1"], "addresses": ["10.1.2.3", "192.0.2.9"]}

test_unknown_way_is_denied if {
	d := issuance.decision with input as ask("guess", "node", {}, {})
	not d.allow
	d.reason == "no-rule"
}

test_token_gives_a_node_its_names if {
	d := issuance.decision with input as ask("token", "node", worker, rack)
	d.allow
	d.grant == {"name": "worker-1", "roles": ["os:node"], "dns": ["worker-1"], "addresses": ["10.1.2.3", "192.0.2.9"], "lifetime": 24 * hour, "authenticated_at": now}
}

test_token_patterns if {
	fits := {["worker-*", "worker-"], ["*.example.org", "w1.example.org"], ["worker-*-rack*", "worker-12-rack3"], ["worker-1", "worker-1"], ["*", "cp-1"]}
	every pair in fits {
		d := issuance.decision with input as ask("token", "node", {"name": pair[1]}, {"dns": [pair[0]]})
		d.allow
	}
	others := {["worker-*", "worker-1.example.org"], ["*.example.org", "w1.other.example.org"], ["worker-1", "worker-10"], ["*", "cp-1.evil"]}
	every pair in others {
		d := issuance.decision with input as ask("token", "node", {"name": pair[1]}, {"dns": [pair[0]]})
		d.reason == "name-not-allowed"
	}
}

test_token_names_the_whole_excess if {
	d := issuance.decision with input as ask("token", "node", object.union(worker, {"dns": ["cp-1", "worker-1"], "addresses": ["172.16.0.1"]}), rack)
	not d.allow
	d.reason == "name-not-allowed"
	d.sentence == "the request asks for `172.16.0.1`, `cp-1`, which the thing shown does not allow"
}

test_every_kind_of_excess_is_named if {
	wish := {
		"name": "cp-1", "roles": ["os:admin", "os:reader"], "dns": ["api.example.org"], "addresses": ["172.16.0.1"],
		"others": ["email:root@example.org"], "lifetime": 25 * hour,
	}
	d := issuance.decision with input as ask("token", "node", wish, rack)
	d.reason == "name-not-allowed"
	d.sentence == concat("; ", [
		"the request asks for the name `cp-1`, which the thing shown does not allow",
		"the request asks for `172.16.0.1`, `api.example.org`, `email:root@example.org`, which the thing shown does not allow",
		"the request asks for the role `os:admin`, `os:reader`, which the thing shown does not allow",
		"the request asks for a longer life than the 24h of a certificate for a node",
	])
	d.hint == concat("; ", [
		"ask for the name that is yours, or an administrator for what allows another",
		"ask only for names and addresses that are yours, or an administrator for what allows others",
		"ask for fewer roles",
		"ask for less, or for none in particular",
	])
	e := issuance.decision with input as ask("renewal", "user", {"name": "mallory", "roles": ["os:admin"]}, person(168 * hour))
	e.reason == "authentication-too-old"
	contains(e.sentence, "`mallory`")
	contains(e.sentence, "`os:admin`")
}

test_the_sentence_about_an_excess_is_bounded if {
	long := concat("", ["x" | some _ in numbers.range(1, 300)])
	many := [$"{i}{long}" | some i in numbers.range(10, 59)]
	d := issuance.decision with input as ask("token", "node", object.union(worker, {"dns": many, "roles": many}), rack)
	d.reason == "name-not-allowed"
	contains(d.sentence, "and 34 more, which")
	contains(d.sentence, $"`25{substring(long, 0, 126)}…`")
	not contains(d.sentence, "`26")
	count(d.sentence) < 5000
}

test_token_without_a_name if {
	d := issuance.decision with input as ask("token", "node", {}, rack)
	d.reason == "name-missing"
}

test_node_may_not_ask_for_a_person_s_role if {
	d := issuance.decision with input as ask("token", "node", object.union(worker, {"roles": ["os:admin"]}), rack)
	d.reason == "role-not-allowed"
	contains(d.sentence, "`os:admin`")
}

test_token_gives_a_person_its_roles_or_fewer if {
	basis := {"name": "alice", "roles": ["os:admin", "os:reader"]}
	d := issuance.decision with input as ask("token", "user", {"name": "alice"}, basis)
	d.grant.roles == ["os:admin", "os:reader"]
	d.grant.lifetime == 8 * hour
	f := issuance.decision with input as ask("token", "user", {"name": "alice", "roles": ["os:reader"]}, basis)
	f.grant.roles == ["os:reader"]
	e := issuance.decision with input as ask("token", "user", {"name": "alice", "roles": ["os:auditor"]}, basis)
	e.reason == "role-not-allowed"
	g := issuance.decision with input as ask("token", "user", {"name": "mallory"}, basis)
	g.reason == "name-not-allowed"
}

test_renewal_gives_what_the_certificate_says if {
	basis := {"name": "worker-1", "roles": ["os:node"], "dns": ["worker-1"], "addresses": ["10.0.0.7"]}
	d := issuance.decision with input as ask("renewal", "node", {"name": "worker-1", "dns": ["worker-1"]}, basis)
	d.grant.addresses == ["10.0.0.7"]
	e := issuance.decision with input as ask("renewal", "node", {"name": "worker-1", "dns": ["cp-1"]}, basis)
	e.reason == "name-not-allowed"
}

person(since) := {"name": "alice", "roles": ["os:reader"], "authenticated_at": now - since}

test_renewal_of_a_person_ends_with_the_login if {
	d := issuance.decision with input as ask("renewal", "user", {}, person(hour))
	d.grant.lifetime == 8 * hour
	d.grant.authenticated_at == now - hour
	short := issuance.decision with input as ask("renewal", "user", {}, person(165 * hour))
	short.grant.lifetime == 3 * hour
	old := issuance.decision with input as ask("renewal", "user", {}, person(168 * hour))
	old.reason == "authentication-too-old"
	unknown := issuance.decision with input as ask("renewal", "user", {}, {"name": "alice", "roles": ["os:reader"]})
	unknown.reason == "authentication-unknown"
}

test_lifetime if {
	d := issuance.decision with input as ask("renewal", "user", {"lifetime": hour}, person(0))
	d.grant.lifetime == hour
	long := issuance.decision with input as ask("renewal", "user", {"lifetime": 9 * hour}, person(0))
	long.reason == "lifetime-too-long"
	short := issuance.decision with input as ask("renewal", "user", {"lifetime": 1}, person(0))
	short.reason == "lifetime-too-short"
}

test_administrator_vouches_for_others if {
	admin := {"name": "alice", "roles": ["os:admin"], "authenticated_at": now - (2 * hour)}
	d := issuance.decision with input as ask("delegation", "user", {"name": "bob", "roles": ["os:reader"]}, admin)
	d.grant.name == "bob"
	d.grant.authenticated_at == now - (2 * hour)
	machine := issuance.decision with input as ask("delegation", "user", {"name": "bob", "roles": ["os:node"]}, admin)
	machine.reason == "role-not-allowed"
	nothing := issuance.decision with input as ask("delegation", "user", {"name": "bob"}, admin)
	nothing.reason == "role-missing"
	nobody := issuance.decision with input as ask("delegation", "user", {"roles": ["os:reader"]}, admin)
	nobody.reason == "name-missing"
}

test_others_vouch_with_what_they_have if {
	blue := {"name": "carol", "roles": ["team:blue"], "authenticated_at": now}
	d := issuance.decision with input as ask("delegation", "user", {"name": "bob", "roles": ["team:blue"]}, blue)
	d.allow
	e := issuance.decision with input as ask("delegation", "user", {"name": "bob", "roles": ["os:admin"]}, blue)
	e.reason == "role-not-allowed"
}

test_enrollment_needs_a_person if {
	seen := {"name": "worker-1", "dns": ["worker-1"], "addresses": ["10.0.0.7"]}
	d := issuance.decision with input as ask("enrollment", "node", {"name": "worker-1", "dns": ["worker-1"]}, object.union(seen, {"approved_by": "alice"}))
	d.grant.roles == ["os:node"]
	e := issuance.decision with input as ask("enrollment", "node", {"name": "worker-1"}, seen)
	e.reason == "not-approved"
	f := issuance.decision with input as ask("enrollment", "user", {"name": "worker-1"}, object.union(seen, {"approved_by": "alice"}))
	f.reason == "kind-not-allowed"
}

claims := {"preferred_username": "Ada", "groups": ["sre"], "iat": (now / 1000000000) - 30}

login(more) := object.union({"claims": claims, "bound_to_key": true, "authenticated_at": now - hour, "group_roles": [{"group": "sre", "role": "os:operator"}]}, more)

test_login_by_groups if {
	d := issuance.decision with input as ask("login", "user", {}, login({}))
	d.grant.name == "ada"
	d.grant.roles == ["os:operator"]
	d.grant.authenticated_at == now - hour
	none := issuance.decision with input as ask("login", "user", {}, login({"group_roles": []}))
	none.reason == "role-missing"
	more := issuance.decision with input as ask("login", "user", {"roles": ["os:admin"]}, login({}))
	more.reason == "role-not-allowed"
	nameless := object.union(object.remove(login({}), ["claims"]), {"claims": object.remove(claims, ["preferred_username"])})
	unnamed := issuance.decision with input as ask("login", "user", {}, nameless)
	unnamed.reason == "claim-missing"
}

test_login_must_be_fresh if {
	d := issuance.decision with input as ask("login", "user", {}, login({"claims": object.union(claims, {"iat": (now / 1000000000) - 601})}))
	d.reason == "id-token-too-old"
}

test_login_bound_to_the_key if {
	d := issuance.decision with input as ask("login", "user", {}, login({"bound_to_key": false}))
	d.allow
	strict := object.union(data.talos.issuance.ways, {"login": object.union(data.talos.issuance.ways.login, {"unbound": false})})
	e := issuance.decision with input as ask("login", "user", {}, login({"bound_to_key": false})) with data.talos.issuance.ways as strict
	e.reason == "id-token-not-bound"
}

test_self if {
	own := {"name": "cp-1", "dns": ["cp-1"], "addresses": ["10.0.0.1"]}
	d := issuance.decision with input as ask("self", "trustd", {"name": "cp-1", "dns": ["cp-1"]}, own)
	d.grant.roles == []
	d.grant.addresses == ["10.0.0.1"]
}

test_nothing_is_granted_without_a_profile if {
	d := issuance.decision with input as ask("self", "trustd", {"name": "cp-1"}, {"name": "cp-1"}) with data.talos.issuance.profiles as {}
	d.reason == "not-granted"
}
