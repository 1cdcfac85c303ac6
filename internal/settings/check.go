package settings

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsbridge/phonemail"
)

// The setters below are for settings of any room. Each takes a function that says which field of
// the target the value goes to.

// Text takes any value.
func Text[T any](of func(*T) *string) Setter[T] {
	return func(target *T, items []string) *Mistake {
		*of(target) = items[0]
		return nil
	}
}

// Choice takes one of the allowed words.
func Choice[T any, W ~string](of func(*T) *W, allowed ...W) Setter[T] {
	return func(target *T, items []string) *Mistake {
		word := W(items[0])
		if m := JudgeChoice(word, allowed...); m != nil {
			return m
		}
		*of(target) = word
		return nil
	}
}

// JudgeChoice reports a word that is none of the allowed ones, and repeats it.
func JudgeChoice[W ~string](word W, allowed ...W) *Mistake {
	if slices.Contains(allowed, word) {
		return nil
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
		if strings.EqualFold(words[i], string(word)) && words[i] != strings.ToLower(words[i]) {
			return Wrong(Quote(string(word))+" is not "+words[i], "write it as "+words[i])
		}
	}
	return Wrong(Quote(string(word))+" is not "+strings.Join(words, " or "),
		"write one of these words, in small letters")
}

// Switch takes true or false.
func Switch[T any](of func(*T) *bool) Setter[T] {
	return func(target *T, items []string) *Mistake {
		if m := JudgeChoice(items[0], "true", "false"); m != nil {
			return m
		}
		*of(target) = items[0] == "true"
		return nil
	}
}

// Count takes a number from least to most.
func Count[T any](least, most int, of func(*T) *int) Setter[T] {
	return func(target *T, items []string) *Mistake {
		n, err := strconv.Atoi(items[0])
		if err != nil || n < least || n > most {
			return Wrong(Quote(items[0])+" is not a number from "+strconv.Itoa(least)+" to "+
				strconv.Itoa(most), "write digits only, or leave it out for the default")
		}
		*of(target) = n
		return nil
	}
}

// Duration takes a duration from least to most; the example is one that the hint shows.
func Duration[T any](
	least, most time.Duration, example string, of func(*T) *time.Duration,
) Setter[T] {
	return func(target *T, items []string) *Mistake {
		d, err := time.ParseDuration(items[0])
		switch {
		case err != nil:
			return Wrong(Quote(items[0])+" is not a duration",
				"write a number and its unit (h, m or s) without blanks, such as "+example)
		case d < least || d > most:
			return Wrong(Quote(items[0])+" is not from "+Span(least)+" to "+Span(most),
				"write a number with its unit, such as "+example)
		}
		*of(target) = d
		return nil
	}
}

// Span shows a duration as people write it: "1m" and "24h", not "1m0s" and "24h0m0s".
func Span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// BaseURL takes the address of a web service, and keeps it without a slash at the end. It is https,
// except on the loopback interface.
func BaseURL[T any](of func(*T) *string) Setter[T] {
	return func(target *T, items []string) *Mistake {
		u, m := ParseBaseURL(items[0])
		if m == nil {
			*of(target) = u
		}
		return m
	}
}

// ParseBaseURL reads what [BaseURL] takes.
func ParseBaseURL(s string) (string, *Mistake) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", Wrong("is not a web address", "write it as https://host")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", Wrong("has a user, a query or a fragment",
			"leave that out: write https://host or https://host/path alone")
	case u.Scheme == "http" && !IsLoopbackURL(s):
		return "", Wrong("is plain http", "use https; http is for localhost only")
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
		return "", Wrong("has a port that cannot exist", "write a port from 1 to 65535, or none")
	}
	return strings.TrimRight(SmallScheme(u, s), "/"), nil
}

// SmallScheme returns the text of a URL with its scheme in small letters, as others look for it.
func SmallScheme(u *url.URL, text string) string { return u.Scheme + text[len(u.Scheme):] }

// IsLoopbackURL reports whether a URL leads to this very machine.
func IsLoopbackURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && isLoopback(u.Hostname())
}

// IsLoopbackAddr reports whether only this machine can connect to a listener at host:port.
func IsLoopbackAddr(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	return isLoopback(host)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// ListenAddr takes an address to listen on. The hint says how to write it.
func ListenAddr[T any](hint string, of func(*T) *string) Setter[T] {
	return func(target *T, items []string) *Mistake {
		host, port, err := net.SplitHostPort(items[0])
		if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
			return Wrong("is not an address to listen on", hint)
		}
		// No host has such a name: https://url.spec.whatwg.org/#ends-in-a-number-checker
		isIP := strings.Trim(host, "0123456789.") == "" || strings.Contains(host, ":")
		if _, bad := netip.ParseAddr(host); host != "" && isIP && bad != nil {
			return Wrong("has an IP address that cannot be", hint)
		}
		*of(target) = items[0]
		return nil
	}
}

// Hosts takes host names, or IP addresses, with or without a port, and keeps them in small letters.
func Hosts[T any](of func(*T) *[]string) Setter[T] {
	return func(target *T, items []string) *Mistake {
		var all []string
		for _, item := range items {
			host := strings.ToLower(item)
			if !isHost(host) {
				hint := "write hosts alone, such as login.acme.example, without https:// and without a path"
				if strings.ContainsAny(host, " \t,") {
					hint = "separate several by commas, in a file as a list: [a.example, b.example]"
				}
				return Wrong("has something that is not a host", hint)
			}
			all = append(all, host)
		}
		*of(target) = all
		return nil
	}
}

func isHost(host string) bool {
	u, err := url.Parse("https://" + host)
	if err != nil || u.Host != host || strings.ContainsAny(host, "*_") ||
		strings.HasSuffix(host, ":") {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err == nil || u.Hostname() == "localhost" || phonemail.ValidDomain(u.Hostname())
}

// Prefixes takes networks, such as 127.0.0.0/8, but not all addresses.
func Prefixes[T any](of func(*T) *[]netip.Prefix) Setter[T] {
	return func(target *T, items []string) *Mistake {
		var all []netip.Prefix
		for _, item := range items {
			p, err := netip.ParsePrefix(item)
			if err != nil || p.Bits() == 0 {
				return Wrong("has something that is not a network",
					"write a prefix, such as 127.0.0.0/8, longer than /0")
			}
			all = append(all, p.Masked())
		}
		*of(target) = all
		return nil
	}
}

// Pairs takes a mapping, given as name=value. The judge says what is wrong with a pair.
func Pairs[T any](
	of func(*T) *map[string]string, judge func(name, value string) *Mistake,
) Setter[T] {
	return func(target *T, items []string) *Mistake {
		all := map[string]string{}
		for _, item := range items {
			name, v, _ := strings.Cut(item, "=")
			if m := judge(name, v); m != nil {
				return m
			}
			all[name] = v
		}
		*of(target) = all
		return nil
	}
}

// Pattern takes a value that matches; otherwise it is the mistake.
func Pattern[T any](pattern *regexp.Regexp, m *Mistake, of func(*T) *string) Setter[T] {
	return func(target *T, items []string) *Mistake {
		if !pattern.MatchString(items[0]) {
			return m
		}
		*of(target) = items[0]
		return nil
	}
}

// Key takes one secret that looks like a key.
func Key[T any](of func(*T) *Secret) Setter[T] {
	return func(target *T, items []string) *Mistake {
		if m := JudgeKey(items[0]); m != nil {
			return m
		}
		*of(target) = NewSecret(items[0])
		return nil
	}
}

// Keys takes secrets of which each passes the judge.
func Keys[T any](of func(*T) *[]Secret, judge func(secret string) *Mistake) Setter[T] {
	return func(target *T, items []string) *Mistake {
		var all []Secret
		for _, item := range items {
			if m := judge(item); m != nil {
				return m
			}
			all = append(all, NewSecret(item))
		}
		*of(target) = all
		return nil
	}
}

// JudgeKey finds what no provider's key has, but a bad copy often does.
func JudgeKey(s string) *Mistake {
	bad := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'<>", r) }
	if strings.ContainsFunc(s, bad) {
		return Wrong("has spaces, quotes or other characters that no key has",
			"copy it again, without quotes around it")
	}
	return nil
}
