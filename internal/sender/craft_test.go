package sender_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"hash"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

const (
	recipient = "acme+4520123456@sms.acme.example"
	link      = "https://login.acme.example/verify?ticket=abcdefghijklmnop"
)

// posted is Mailgun's time stamp of every mail here. The library signs with the process's clock.
var posted = time.Now().Truncate(time.Second)

// draft is a mail before it is signed.
type draft struct {
	fields []string // "Name: value", folded lines with CRLF
	body   string
}

// genuine is a mail as the identity provider writes it.
func genuine() draft {
	return draft{[]string{
		"From: ACME <no-reply@acme.example>",
		"To: " + recipient,
		"Subject: Verify your e-mail address",
		"Date: " + posted.UTC().Format(time.RFC1123Z),
		"Message-ID: <1@acme.example>",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8",
	}, "Hello,\r\n\r\nplease confirm:\r\n" + link + "\r\n"}
}

func (d draft) index(name string) int {
	return slices.IndexFunc(d.fields, func(f string) bool {
		return strings.EqualFold(f[:max(0, strings.IndexByte(f, ':'))], name)
	})
}

// set replaces a field by lines, or adds them.
func (d draft) set(name string, lines ...string) draft {
	d.fields = slices.Clone(d.fields)
	if i := d.index(name); i >= 0 {
		d.fields = slices.Delete(d.fields, i, i+1)
	}
	d.fields = append(d.fields, lines...)
	return d
}

func (d draft) on(date time.Time) draft {
	return d.set("Date", "Date: "+date.UTC().Format(time.RFC1123Z))
}

func (d draft) raw() string { return strings.Join(d.fields, "\r\n") + "\r\n\r\n" + d.body }

// signed is the mail with the identity provider's signature.
func (d draft) signed(change ...func(*signing)) string {
	s := acme()
	for _, c := range change {
		c(&s)
	}
	return s.sign(d.raw())
}

// signing is how a mail is signed.
type signing struct {
	domain, selector string
	key              crypto.Signer
	names            []string // h=
	canonical        dkim.Canonicalization
	algorithm        string   // a=, "" for what the key has
	tags             []string // further tags: with any, the test signs by itself
}

func acme() signing {
	return signing{
		domain: "acme.example", selector: "s1", key: edKey("acme"), canonical: "relaxed",
		names: []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"},
	}
}

// as signs for another domain, with that domain's key.
func as(domain string) func(*signing) {
	return func(s *signing) { s.domain, s.key = domain, edKey(domain) }
}

func without(name string) func(*signing) {
	return func(s *signing) {
		s.names = slices.DeleteFunc(s.names, func(n string) bool { return n == name })
	}
}

func tags(tags ...string) func(*signing) { return func(s *signing) { s.tags = tags } }

func key(selector string, key crypto.Signer) func(*signing) {
	return func(s *signing) { s.selector, s.key = selector, key }
}

// sign signs a mail with go-msgauth, or by itself where that cannot make what a case needs.
func (s signing) sign(raw string) string {
	if len(s.tags) > 0 || s.algorithm != "" {
		return s.signByHand(raw)
	}
	var signed bytes.Buffer
	err := dkim.Sign(&signed, strings.NewReader(raw), &dkim.SignOptions{
		Domain: s.domain, Selector: s.selector, Signer: s.key, HeaderKeys: s.names,
		HeaderCanonicalization: s.canonical, BodyCanonicalization: s.canonical,
	})
	if err != nil {
		panic(err)
	}
	return signed.String()
}

// signByHand signs with any tags (RFC 6376, sections 3.4 and 3.7). A body in these tests ends with
// one CRLF.
func (s signing) signByHand(raw string) string {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	algorithm := s.algorithm
	if algorithm == "" {
		algorithm = "ed25519-sha256"
	}
	var sum hash.Hash = sha256.New()
	digest := crypto.SHA256
	if strings.HasSuffix(algorithm, "sha1") {
		sum, digest = sha1.New(), crypto.SHA1
	}
	covered := s.canon(body)
	for _, tag := range s.tags {
		var n int
		if _, err := fmt.Sscanf(tag, "l=%d", &n); err == nil {
			covered = covered[:n]
		}
	}
	sum.Write([]byte(covered))
	all := append([]string{
		"v=1", "a=" + algorithm, "c=" + string(s.canonical+"/"+s.canonical), "d=" + s.domain,
		"s=" + s.selector, "h=" + strings.Join(s.names, ":"),
		"bh=" + base64.StdEncoding.EncodeToString(sum.Sum(nil)),
	}, s.tags...)
	field := "DKIM-Signature: " + strings.Join(all, "; ") + "; b="
	sum.Reset()
	for _, f := range pick(head, s.names) {
		sum.Write([]byte(s.canonField(f) + "\r\n"))
	}
	sum.Write([]byte(s.canonField(field)))
	options := crypto.SignerOpts(digest)
	if _, ok := s.key.(ed25519.PrivateKey); ok {
		options = crypto.Hash(0)
	}
	signature, err := s.key.Sign(rand.Reader, sum.Sum(nil), options)
	if err != nil {
		panic(err)
	}
	return field + base64.StdEncoding.EncodeToString(signature) + "\r\n" + raw
}

// pick returns the fields that a signature covers: of several of one name, the last first.
func pick(head string, names []string) (picked []string) {
	fields := strings.Split(regexp.MustCompile("\r\n([ \t])").ReplaceAllString(head, "\x00$1"), "\r\n")
	taken := map[string]int{}
	for _, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		var same []string
		for _, f := range fields {
			if strings.EqualFold(f[:strings.IndexByte(f, ':')], name) {
				same = append(same, strings.ReplaceAll(f, "\x00", "\r\n"))
			}
		}
		if n := len(same) - 1 - taken[name]; n >= 0 {
			picked = append(picked, same[n])
		}
		taken[name]++
	}
	return picked
}

func (s signing) canonField(f string) string {
	if s.canonical == "simple" {
		return f
	}
	name, value, _ := strings.Cut(f, ":")
	return strings.ToLower(name) + ":" + strings.Join(strings.Fields(value), " ")
}

func (s signing) canon(body string) string {
	if s.canonical == "simple" {
		return body
	}
	body = regexp.MustCompile("[ \t]+").ReplaceAllString(body, " ")
	return strings.ReplaceAll(body, " \r\n", "\r\n")
}

// edKey is the key of a domain, the same in each run.
func edKey(domain string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(domain))
	return ed25519.NewKeyFromSeed(seed[:])
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return k
})

func edRecord(domain, more string) string {
	public := edKey(domain).Public().(ed25519.PublicKey)
	return "v=DKIM1; k=ed25519; " + more + "p=" + base64.StdEncoding.EncodeToString(public)
}

func rsaRecord() string {
	public, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	if err != nil {
		panic(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
}

// weakRecord has a key of 768 bits.
func weakRecord() string {
	n := new(big.Int).SetBit(big.NewInt(1), 767, 1)
	public := x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: n, E: 65537})
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
}

// zone is the DNS: the records of each name, or trouble.
type zone struct {
	records map[string][]string
	trouble map[string]bool
	asked   []string
}

func world() *zone { return &zone{trouble: map[string]bool{}, records: records()} }

var records = sync.OnceValue(func() map[string][]string {
	return map[string][]string{
		"s1._domainkey.acme.example":         {edRecord("acme", "")},
		"rsa._domainkey.acme.example":        {rsaRecord()},
		"weak._domainkey.acme.example":       {weakRecord()},
		"revoked._domainkey.acme.example":    {"v=DKIM1; k=ed25519; p="},
		"twice._domainkey.acme.example":      {edRecord("acme", ""), edRecord("acme", "")},
		"broken._domainkey.acme.example":     {"v=DKIM1; k=ed25519; p=!"},
		"foreign._domainkey.acme.example":    {"v=spf1 -all"},
		"strict._domainkey.acme.example":     {edRecord("acme", "t=s; ")},
		"web._domainkey.acme.example":        {edRecord("acme", "s=web; ")},
		"sha1._domainkey.acme.example":       {edRecord("acme", "h=sha1; ")},
		"s1._domainkey.mail.acme.example":    {edRecord("mail.acme.example", "")},
		"s1._domainkey.news.acme.example":    {edRecord("news.acme.example", "")},
		"s1._domainkey.other.example":        {edRecord("other.example", "")},
		"s1._domainkey.evil.example":         {edRecord("evil.example", "")},
		"s1._domainkey.sendgrid.net":         {edRecord("sendgrid.net", "")},
		"s1._domainkey.acme.example.evil.io": {edRecord("acme.example.evil.io", "")},
		"s1._domainkey.notacme.example":      {edRecord("notacme.example", "")},
		"s1._domainkey.example":              {edRecord("example", "")},
	}
})

func (z *zone) look(name string) ([]string, error) {
	name = strings.ToLower(name)
	z.asked = append(z.asked, name)
	if z.trouble[name] {
		return nil, fmt.Errorf("no response about %s", name)
	}
	return z.records[name], nil
}
