package identity

import (
	"net"
	"net/netip"
	"strings"
)

// forgotten marks a visitor whom Reset forgot, without naming it.
func (k *key) forgotten(v Visitor) [8]byte {
	sum := k.mac("forgotten visitor", v.ID[:])
	return [8]byte(sum[:8])
}

// Changed says whether the response has cookies to carry.
func (s *State) Changed() bool {
	if s.withdraw {
		return s.presented.Any()
	}
	if s.mode == Ephemeral {
		return false
	}
	if s.mode == Withheld {
		return s.forgot || s.note.kind != 0
	}
	return s.forgot || s.event || s.writeUser || s.switched
}

// SetCookies appends the values of the Set-Cookie headers, each name at most once per scope, deletions first. It is to
// be called once, when the headers go out. host is the one that the browser asked, for cookies in scopes not ours.
func (s *State) SetCookies(lines []string, host string) []string {
	i := s.issuer
	var out [cookies]string
	expire := func(c int) { out[c] = i.names[c] + "=" + i.expire }
	if s.withdraw {
		for c := range out {
			if s.presented.has(c) {
				expire(c)
			}
		}
		return present(lines, &out)
	}
	if s.forgot {
		expire(visitorCookie)
		expire(sessionCookie)
		expire(userCookie)
	}
	if s.note.kind == 0 && (s.presented.has(noteCookie) || s.forgot && s.mode == Withheld) {
		expire(noteCookie)
	}
	if s.note.kind != 0 && s.mode == Withheld {
		out[noteCookie], _ = s.set(noteCookie, &s.note)
	}
	if s.forgot && len(s.forgotten) > 0 {
		out[forgottenCookie], _ = s.set(forgottenCookie, &s.forgotten)
	}
	if s.mode != Stored {
		return present(lines, &out)
	}
	identified := s.event || s.writeUser || s.switched
	if identified && (s.fresh || s.renewed) {
		lines = s.expireOtherScopes(lines, host)
		var value string
		out[visitorCookie], value = s.set(visitorCookie, &s.visitor)
		s.proof = digest(value)
	}
	if s.event || s.switched {
		s.session.proof = s.proof
		s.session.key, s.session.Visitor.key = 0, 0
		var value string
		out[sessionCookie], value = s.set(sessionCookie, &s.session)
		i.verified.add(value, s.session)
	}
	if s.writeUser || s.event && s.userOld || s.renewed && s.persistedUser() != "" {
		out[userCookie], _ = s.set(userCookie, &User{Visitor: s.visitor.ID, ID: s.persisted})
	}
	return present(lines, &out)
}

func (s *State) set(c int, payload any) (line, value string) {
	value, err := s.issuer.encode(c, payload)
	if err != nil { // only over 4 KiB, and every part was measured before it came here
		return "", ""
	}
	return s.issuer.names[c] + "=" + value + s.issuer.suffix[c], value
}

func present(lines []string, out *[cookies]string) []string {
	for _, line := range out {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// expireOtherScopes deletes cookies of our names that did not count and that the new ones would not replace, because
// they sit in another scope: from before a change of Config.Domain, or tossed by a sibling domain. Left alone they
// would come along with every request, twice the name, and make each page view a new visitor.
func (s *State) expireOtherScopes(lines []string, host string) []string {
	i := s.issuer
	for c, spoiled := range s.presented.spoiled {
		if !spoiled {
			continue
		}
		if i.domain != "" {
			lines = append(lines, i.names[c]+"=; Max-Age=0; Path=/")
		}
		if strings.HasPrefix(strings.ToLower(i.names[c]), "__host-") {
			continue // browsers keep these in one scope
		}
		for _, parent := range parents(Hostname(host)) {
			if parent != i.domain {
				lines = append(lines, i.names[c]+"=; Max-Age=0"+i.scope(parent))
			}
		}
	}
	return lines
}

// Hostname returns a host in lower case, without its port, brackets and final dot.
func Hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = host
	}
	return strings.ToLower(strings.Trim(hostport, "[]."))
}

// parents are the domains above host that could hold a cookie for it, without the top-level one; at most four.
func parents(host string) []string {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	var out []string
	for len(out) < 4 {
		_, parent, ok := strings.Cut(host, ".")
		if !ok || !strings.Contains(parent, ".") {
			break
		}
		out = append(out, parent)
		host = parent
	}
	return out
}
