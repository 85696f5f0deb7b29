# METADATA
# title: Who may call what
# description: |
#   Decides every call of the node API and of trustd. What each method needs is data, in data.json beside this file; so a
#   reviewer reads one table. Deny rules win over everything; without a rule the answer is no.
package talos.authz

# METADATA
# title: The answer
# entrypoint: true
decision := {
	"allow": false,
	"reason": "no_rule",
	"sentence": $"no rule names the method `{input.method}`",
	"rule": "data.talos.authz.methods",
} if {
	not rule
} else := object.union(recorded, {
	"allow": false,
	"reason": denial.reason,
	"sentence": denial.sentence,
	"rule": "data.talos.authz.deny",
}) if {
	denial := sort(deny)[0]
} else := object.union(recorded, {
	"allow": false,
	"reason": "needs_second_person",
	"sentence": $"{short_name} needs the approval of another person",
	"rule": "data.talos.authz.needs_second_person",
	"obligations": [{
		"id": "second_person",
		"sentence": "another person who may call this method approves this exact request",
	}],
}) if {
	granted
	needs_second_person
} else := object.union(recorded, {
	"allow": true,
	"reason": "role_allowed",
	"sentence": $"a role of the caller may call {short_name}",
	"rule": "data.talos.authz.granted",
}) if {
	granted
} else := object.union(recorded, {
	"allow": true,
	"reason": "open_method",
	"sentence": $"{short_name} checks a token of its own",
	"rule": "data.talos.authz.methods",
}) if {
	rule.anonymous
} else := object.union(recorded, {
	"allow": false,
	"reason": "anonymous_not_allowed",
	"sentence": $"{short_name} needs a client certificate",
	"rule": "data.talos.authz.methods",
}) if {
	input.caller.anonymous
} else := object.union(recorded, {
	"allow": false,
	"reason": "role_not_allowed",
	"sentence": $"{short_name} needs one of the roles {concat(", ", rule.roles)}",
	"rule": "data.talos.authz.methods",
})

rule := data.talos.authz.methods[input.method]

# The name behind the last slash of `/package.Service/Name`.
short_name := split(input.method, "/")[2]

# How the call is recorded: whether it may run when the record cannot be written, and which fields may be written down.
recorded := {
	"record": object.get(rule, "record", "fail_closed"),
	"loggable": object.get(rule, "loggable", []),
}

granted if {
	some role in input.caller.roles
	role in rule.roles
}

# Roles of the cluster's own making: data.talos.roles["team:blue"].methods.
granted if {
	some role in input.caller.roles
	input.method in data.talos.roles[role].methods
}

needs_second_person if {
	two_people
	not approved
}

# Two people: where the method itself says so, and what data.talos.second_person adds, by name or for everything critical.
two_people if rule.second_person

two_people if input.method in data.talos.second_person.methods

two_people if {
	rule.critical
	data.talos.second_person.critical
}

# An approver needs what the caller needs.
approved if {
	some role in approving_roles
	role in rule.roles
}

approved if {
	some role in approving_roles
	input.method in data.talos.roles[role].methods
}

approving_roles contains role if {
	some approval in input.approvals
	approval.by != input.caller.name
	approval.expires_at > input.time
	some role in approval.roles
}

# A node's certificate is for the node alone.
deny contains {
	"reason": "node_with_other_roles",
	"sentence": "a certificate with the role os:node must not carry other roles",
} if {
	"os:node" in input.caller.roles
	count(input.caller.roles) > 1
}

# From when on what a node knows of revocations is old. By then every person's certificate that was good when it learnt of it has ended.
revocations_old_after := time.parse_duration_ns(data.talos.authz.revocations.old_after)

# A node that cannot know whether a certificate was taken back believes only those so young that nobody can have done it long ago. So a new
# node, and one that trustd has lost, can be operated by who has just got a certificate, and by nobody else.
deny contains {
	"reason": "revocations_not_known",
	"sentence": $"what the node knows of revoked certificates is {input.node.revocations}, and the certificate of `{input.caller.name}` is older than {data.talos.authz.revocations.fresh}",
} if {
	input.node.revocations in {"old", "unknown"}
	not input.caller.anonymous
	input.time - input.caller.issued_at > time.parse_duration_ns(data.talos.authz.revocations.fresh)
}

deny contains {
	"reason": "node_not_attested",
	"sentence": $"{short_name} is served only by nodes whose attestation is verified",
} if {
	rule.attested
	not input.node.attested
}

# What is wrong with the data. A bundle of which this set is not empty is refused: a misspelt name would be an exception from a rule.
invalid contains $"data.talos.second_person.methods names `{method}`, which is no method here" if {
	some method in data.talos.second_person.methods
	not data.talos.authz.methods[method]
}

invalid contains "data.talos.second_person.critical must be true or false" if {
	not is_boolean(data.talos.second_person.critical)
}

invalid contains $"data.talos.roles[`{role}`] names `{method}`, which is no method here" if {
	some role, rights in data.talos.roles
	some method in rights.methods
	not data.talos.authz.methods[method]
}

invalid contains $"data.talos.roles[`{role}`]: the roles that begin with `os:` are the system's own" if {
	some role, _ in data.talos.roles
	startswith(role, "os:")
}

# Optional: a method whose rule says `undrifted` is served only while the node is as it was when it had started. A node of which
# nothing is known is no clean one.
deny contains {
	"reason": "node_drifted",
	"sentence": $"{short_name} is served only by nodes without drift; this one {drift_words}",
} if {
	rule.undrifted
	not node_is_clean
}

# A rule of its own: a comparison with what is undefined would be undefined under `not`, too.
node_is_clean if input.node.compliance.state == "clean"

drift_words := $"drifted: {concat(", ", [$"{fact.kind} {fact.subject}" | some fact in input.node.compliance.drift])}" if {
	input.node.compliance.state == "drifted"
} else := "has not been read"
