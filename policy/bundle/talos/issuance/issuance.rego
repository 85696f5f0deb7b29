# METADATA
# title: Who gets which certificate
# description: |
#   Decides every certificate that trustd issues: name, roles, host names, addresses and lifetime. What a request rests on was checked before
#   (a certificate, a token, a person's approval, an ID token); here stands what it entitles to. A request for more is refused as a whole
#   and told all that was too much; the reason is that of the lowest `at`. Lifetimes and ways are data, in data.json beside this file.
package talos.issuance

# METADATA
# title: The answer
# entrypoint: true
decision := {
	"allow": false,
	"reason": "no-rule",
	"sentence": $"no rule names the way `{input.way}` to a certificate",
} if {
	not way
} else := {
	"allow": false,
	"reason": denials[0].reason,
	"sentence": concat("; ", [d.sentence | some d in denials]),
	"hint": concat("; ", [d.hint | some d in denials; d.hint != ""]),
} if {
	denials := sort(deny)
	count(denials) > 0
} else := {
	"allow": true,
	"reason": "way-allowed",
	"sentence": $"{input.basis.title} entitles to it",
	"grant": {
		"name": name,
		"roles": roles,
		"dns": dns,
		"addresses": addresses,
		"lifetime": lifetime,
		"authenticated_at": authenticated_at,
	},
} else := {
	"allow": false,
	"reason": "not-granted",
	"sentence": $"no rule grants what {input.basis.title} asks for",
}

way := data.talos.issuance.ways[input.way]

profile := data.talos.issuance.profiles[input.kind]

# What speaks for exactly one identity; a token for nodes and a person who vouches for another do not.
speaks_for_itself if input.way in {"self", "renewal", "enrollment"}

speaks_for_itself if {
	input.way == "token"
	input.kind == "user"
}

# LIMIT: a sentence names sixteen things of a kind, each by its first 128 characters, and says how many more there are: it travels in a header.
named_at_most := 16

quoted(text) := $"`{text}`" if count(text) <= 128

quoted(text) := $"`{substring(text, 0, 128)}…`" if count(text) > 128

listed(things) := concat(", ", [quoted(t) | some t in sort(things)]) if count(things) <= named_at_most

listed(things) := $"{concat(", ", [quoted(t) | some t in first])} and {count(things) - named_at_most} more" if {
	count(things) > named_at_most
	first := array.slice(sort(things), 0, named_at_most)
}

# The name.

name := input.basis.name if speaks_for_itself

name := input.request.name if {
	input.way == "token"
	input.kind == "node"
	some pattern in input.basis.dns
	glob.match(pattern, ["."], input.request.name)
}

name := input.request.name if {
	input.way == "delegation"
	input.request.name != ""
}

name := lower(input.basis.claims[way.name_claim]) if input.way == "login"

name_fits if name == input.request.name

deny contains {
	"at": 1,
	"reason": "claim-missing",
	"sentence": $"the ID token has no claim `{way.name_claim}`",
	"hint": "the provider has to put it into ID tokens for this client",
} if {
	input.way == "login"
	not name
}

deny contains {
	"at": 1,
	"reason": "name-missing",
	"sentence": "the request names nobody",
	"hint": "put the name into the subject's common name",
} if {
	input.way in {"token", "delegation"}
	input.request.name == ""
	not name
}

deny contains {
	"at": 2,
	"reason": "name-not-allowed",
	"sentence": $"the request asks for the name {quoted(input.request.name)}, which {input.basis.title} does not allow",
	"hint": "ask for the name that is yours, or an administrator for what allows another",
} if {
	input.request.name != ""
	not name_fits
}

# Host names and addresses.

owns_dns(wanted) if {
	speaks_for_itself
	wanted in input.basis.dns
}

owns_dns(wanted) if {
	input.way == "token"
	wanted == input.request.name
}

owns_dns(wanted) if {
	input.way == "token"
	some pattern in input.basis.dns
	glob.match(pattern, ["."], wanted)
}

owns_address(wanted) if {
	speaks_for_itself
	wanted in input.basis.addresses
}

# A machine has the address that it asks from.
owns_address(wanted) if {
	input.way == "token"
	wanted == input.source_ip
}

owns_address(wanted) if {
	input.way == "token"
	some network in input.basis.addresses
	net.cidr_contains(network, wanted)
}

excess contains wanted if {
	some wanted in input.request.dns
	not owns_dns(wanted)
}

excess contains wanted if {
	some wanted in input.request.addresses
	not owns_address(wanted)
}

# Names of other kinds, and further subjects: no certificate of ours holds any.
excess contains wanted if some wanted in input.request.others

deny contains {
	"at": 3,
	"reason": "name-not-allowed",
	"sentence": $"the request asks for {listed(excess)}, which {input.basis.title} does not allow",
	"hint": "ask only for names and addresses that are yours, or an administrator for what allows others",
} if {
	count(excess) > 0
}

# A renewal says of its holder what the certificate before it said.
dns := input.basis.dns if {
	input.way in {"renewal", "self"}
} else := input.request.dns

addresses := input.basis.addresses if {
	input.way in {"renewal", "self"}
} else := input.request.addresses

# Roles.

entitled contains "os:node" if input.kind == "node"

entitled contains role if {
	input.kind == "user"
	input.way in {"renewal", "token"}
	some role in input.basis.roles
}

entitled contains mapping.role if {
	input.way == "login"
	some mapping in input.basis.group_roles
	mapping.group in input.basis.claims[way.groups_claim]
}

# Who vouches for another gives what they have; an administrator gives anything but a machine's role.
entitled contains role if {
	input.way == "delegation"
	some role in input.basis.roles
	role != "os:node"
}

entitled contains role if {
	input.way == "delegation"
	"os:admin" in input.basis.roles
	some role in input.request.roles
	role != "os:node"
}

excess_roles contains role if {
	some role in input.request.roles
	not role in entitled
}

deny contains {
	"at": 4,
	"reason": "role-not-allowed",
	"sentence": $"the request asks for the role {listed(excess_roles)}, which {input.basis.title} does not allow",
	"hint": "ask for fewer roles",
} if {
	count(excess_roles) > 0
}

deny contains {
	"at": 4,
	"reason": "role-missing",
	"sentence": "the request asks for no role",
	"hint": "for instance `--roles os:reader`",
} if {
	input.way == "delegation"
	count(input.request.roles) == 0
}

deny contains {
	"at": 4,
	"reason": "role-missing",
	"sentence": $"no group of `{name}` has a role here",
	"hint": "an administrator maps groups to roles in the control plane's configuration, `trust.oidc.roles`",
} if {
	input.way == "login"
	count(entitled) == 0
}

roles := input.basis.roles if {
	input.way in {"renewal", "self"}
} else := input.request.roles if {
	input.kind == "user"
	count(input.request.roles) > 0
} else := sort(entitled)

# Lifetime. A person's certificates end, renewed or not, when the time since they proved who they are is over.

longest := time.parse_duration_ns(profile.lifetime)

authenticated_at := input.basis.authenticated_at if {
	input.way in {"renewal", "delegation", "login"}
} else := input.time if {
	not needs_authentication
}

needs_authentication if {
	input.way in {"renewal", "delegation", "login"}
	profile.renew_within
}

remaining := (authenticated_at + time.parse_duration_ns(profile.renew_within)) - input.time

limits contains longest

limits contains remaining

limits contains input.request.lifetime

lifetime := min(limits)

minute := 60000000000

deny contains {
	"at": 5,
	"reason": "lifetime-too-long",
	"sentence": $"the request asks for a longer life than the {profile.lifetime} of a certificate for a {input.kind}",
	"hint": "ask for less, or for none in particular",
} if {
	input.request.lifetime > longest
}

deny contains {
	"at": 5,
	"reason": "lifetime-too-short",
	"sentence": "the request asks for a life of less than a minute",
	"hint": "ask for more, or for none in particular",
} if {
	input.request.lifetime < minute
}

deny contains {
	"at": 0,
	"reason": "authentication-too-old",
	"sentence": $"{input.basis.title} goes back to a login more than {profile.renew_within} ago",
	"hint": "log in again: `osctl login`, or with a token",
} if {
	remaining < minute
}

deny contains {
	"at": 0,
	"reason": "authentication-unknown",
	"sentence": $"nothing here says when the holder of {input.basis.title} proved who they are",
	"hint": "log in again: `osctl login`, or with a token",
} if {
	needs_authentication
	not input.basis.authenticated_at
}

# What each way asks for besides.

deny contains {
	"at": 0,
	"reason": "kind-not-allowed",
	"sentence": $"{input.basis.title} is no way to a certificate for a {input.kind}",
	"hint": "",
} if {
	not input.kind in way.kinds
}

deny contains {
	"at": 0,
	"reason": "not-approved",
	"sentence": "nobody approved this enrollment",
	"hint": "`osctl enroll approve`",
} if {
	input.way == "enrollment"
	input.basis.approved_by == ""
}

deny contains {
	"at": 0,
	"reason": "id-token-too-old",
	"sentence": $"the ID token was made more than {way.fresh} ago",
	"hint": "log in again: `osctl login`",
} if {
	input.way == "login"
	input.time - (input.basis.claims.iat * 1000000000) > time.parse_duration_ns(way.fresh)
}

deny contains {
	"at": 0,
	"reason": "id-token-not-bound",
	"sentence": "the ID token does not name the key that is to be certified",
	"hint": "use the flow with a browser: `osctl login` without `--device`",
} if {
	input.way == "login"
	not input.basis.bound_to_key
	not way.unbound
}
