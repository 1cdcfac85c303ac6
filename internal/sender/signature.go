package sender

import (
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"smsbridge/phonemail"
)

const (
	signatureField = "dkim-signature"
	// maxJudged is how many signatures of allowed domains are judged. More than two occur only while
	// keys or algorithms change.
	maxJudged = 3
	// maxSigned is how many names a signature may list. Each is searched for in the whole header.
	maxSigned = 100
)

// selectors are the names of keys that are looked up.
var selectors = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// signatures returns the positions of the signatures that are judged.
func (l letter) signatures(domains []string) (found []int) {
	for i, f := range l.header {
		if f.name != signatureField || len(found) == maxJudged {
			continue
		}
		if d, ok := signer(f); ok && slices.Contains(domains, d) {
			found = append(found, i)
		}
	}
	return found
}

// signers returns the domains that the signatures name, each once.
func (h header) signers() (found []string) {
	for _, f := range h.all(signatureField) {
		if d, ok := signer(f); ok && !slices.Contains(found, d) {
			found = append(found, d)
		}
	}
	return found
}

// signer returns the d= of a signature in small letters.
func signer(f field) (string, bool) {
	d := strings.ToLower(tag(f, "d"))
	return d, phonemail.ValidDomain(d)
}

// tag returns a tag of a signature without blanks, "" when there is none.
func tag(f field, name string) string {
	for part := range strings.SplitSeq(f.value, ";") {
		if key, value, ok := strings.Cut(part, "="); ok && strings.TrimSpace(key) == name {
			return strings.Join(strings.Fields(value), "")
		}
	}
	return ""
}

// judge verifies one signature, and judges what it covers.
func (l letter) judge(signature int, posted time.Time, look LookUp) error {
	f, k := l.header[signature], &keys{look: look}
	d, _ := signer(f)
	refuse := func(why string) error { return Refusal("the signature of " + d + ": " + why) }
	switch {
	case strings.Count(tag(f, "h"), ":") >= maxSigned:
		return refuse("it covers more than 100 fields")
	case !selectors.MatchString(tag(f, "s")):
		return refuse("the name of its key is none")
	}
	v, err := l.verify(signature, k)
	switch {
	case k.trouble:
		return ErrLookUp
	case err != nil:
		return refuse(explain(err))
	case strings.ToLower(v.Domain) != d:
		return refuse("it cannot be read")
	case !aligned(d, l.from.domain):
		return refuse("From belongs to another organization")
	case k.strict && !strings.HasSuffix(strings.ToLower(v.Identifier), "@"+d):
		return refuse("its key does not sign for subdomains (t=s)")
	case !v.Expiration.IsZero() && v.Expiration.Before(posted):
		return refuse("it had expired when Mailgun received the mail")
	}
	for _, name := range five() {
		same := func(key string) bool { return strings.ToLower(key) == name }
		if !slices.ContainsFunc(v.HeaderKeys, same) {
			return refuse("it does not cover " + name)
		}
	}
	if v.Time.IsZero() {
		return nil
	}
	return fresh("t= of the signature of "+d, v.Time, posted)
}

// verify verifies one signature over the mail without the other signatures, so that none of them
// costs anything.
//
// The library compares x= with the process's clock. A signature that expires between Mailgun's time
// stamp and now is refused for that reason, which is safe.
func (l letter) verify(signature int, k *keys) (*dkim.Verification, error) {
	var b strings.Builder
	for i, f := range l.header {
		if f.name != signatureField || i == signature {
			b.WriteString(f.lines)
		}
	}
	b.WriteString("\r\n")
	raw := io.MultiReader(strings.NewReader(b.String()), strings.NewReader(l.body))
	all, err := dkim.VerifyWithOptions(raw, &dkim.VerifyOptions{LookupTXT: k.lookUp})
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, errors.New("not one signature")
	}
	return all[0], all[0].Err
}

// keys looks up a key, and remembers what the library does not tell.
type keys struct {
	look    LookUp
	trouble bool // the DNS did not respond
	strict  bool // the key's record has t=s (RFC 6376, section 3.6.1)
}

func (k *keys) lookUp(name string) ([]string, error) {
	records, err := k.look(name)
	if err != nil {
		k.trouble = true
		return nil, &net.DNSError{Err: "no response", Name: name, IsTemporary: true}
	}
	for _, record := range records {
		flags := strings.Split(tag(field{value: record}, "t"), ":")
		k.strict = k.strict || slices.Contains(flags, "s")
	}
	return records, nil
}

// explain says in our words why a signature does not hold. The library's words may quote the mail.
func explain(err error) string {
	for _, known := range []struct{ theirs, ours string }{
		{"body hash did not verify", "the body is another one than was signed"},
		{"signature did not verify", "a signed field is another one than was signed"},
		{"insecure body length", "it leaves the end of the body open (l=)"},
		{"has expired", "it has expired (x=)"},
		{"key revoked", "its key was revoked"},
		{"no valid key found", "its key is not in the DNS"},
		{"multiple TXT records", "its key is in the DNS more than once"},
		{"key is too short", "its key has less than 1024 bits"},
		{"hash algorithm too weak", "it uses SHA-1"},
		{"domain mismatch", "i= names another domain than d="},
		{"From field not signed", "it does not cover from"},
	} {
		if strings.Contains(err.Error(), known.theirs) {
			return known.ours
		}
	}
	return "it, or its key, cannot be read"
}
