package inbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// This file proves that a webhook about a mail is Mailgun's. Mailgun signs a time stamp and a token
// with HMAC-SHA256, and no other field
// (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks).
//
// In which order the fields come is not documented. So a form is judged as soon as stamp, token and
// signature have come, and nothing more is kept of one that they refuse.

var (
	errUnproven = errors.New("the signature refuses the form")

	unsigned = response{http.StatusUnauthorized,
		"the signature is missing or wrong: compare the tenant's HTTP webhook signing key"}
)

// mailProof is the proof of one webhook: what Mailgun signed, and with which key.
type mailProof struct {
	signers []*signer
	now     time.Time

	refusal       response // to the form as far as it has come, which begins unsigned
	signer, token string
	place         int // of the key among those of the tenant, counted from 1
	posted        time.Time
}

// look judges a form whose last field has just come. It returns errUnproven once the form is
// refused, whatever else may come.
func (p *mailProof) look(f form) error {
	switch f[len(f)-1].name {
	case "timestamp", "token", "signature":
	default:
		return nil
	}
	if !f.has("timestamp") || !f.has("token") || !f.has("signature") {
		return nil
	}
	if p.refusal = p.judge(f); p.refusal.status != 0 {
		return errUnproven
	}
	return nil
}

// judge proves that a form is Mailgun's and no replay of an old one, or says why not. A field that
// comes again proves nothing any more.
func (p *mailProof) judge(f form) response {
	stamp, okStamp := f.only("timestamp")
	token, okToken := f.only("token")
	signature, okSignature := f.only("signature")
	if !okStamp || !okToken || !okSignature || len(stamp) > maxToken || len(token) > maxToken {
		return unsigned
	}
	for i, s := range p.signers { // all of them, so that the time tells nothing
		if s.signed(stamp, token, signature) {
			p.signer, p.place = s.digest, i+1
		}
	}
	if p.signer == "" {
		return unsigned
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return response{http.StatusNotAcceptable, "the timestamp is not a number"}
	}
	p.token, p.posted = token, time.Unix(seconds, 0).UTC()
	switch age := p.now.Sub(p.posted); {
	case age > oldestPost:
		return response{http.StatusNotAcceptable, "the signature is too old"}
	case age < -newestPost:
		return response{
			http.StatusUnauthorized, "the signature is from the future: compare the clocks",
		}
	}
	return response{}
}

// signer is a signing key of a tenant. It keeps what the MACs of one key have in common.
type signer struct {
	digest string    // stands for the key in the database
	macs   sync.Pool // of *signerMAC
}

// signerMAC is used by one request at a time.
type signerMAC struct {
	hash.Hash
	text         []byte
	sum, claimed [sha256.Size]byte
}

func newSigner(key string) *signer {
	s := &signer{}
	s.macs.New = func() any { return &signerMAC{Hash: hmac.New(sha256.New, []byte(key))} }
	// The digest is a MAC of words that Mailgun never signs, since its text begins with a number. So
	// it proves nothing to a door.
	mac := s.macs.Get().(*signerMAC)
	mac.Write([]byte("signer"))
	s.digest = hex.EncodeToString(mac.Sum(nil)[:16])
	s.macs.Put(mac)
	return s
}

// signed reports, in constant time, whether a signature is that of the key over stamp and token.
func (s *signer) signed(stamp, token, signature string) bool {
	mac := s.macs.Get().(*signerMAC)
	defer s.macs.Put(mac)
	if len(signature) != hex.EncodedLen(sha256.Size) {
		return false
	}
	mac.text = append(mac.text[:0], signature...)
	if _, err := hex.Decode(mac.claimed[:], mac.text); err != nil {
		return false
	}
	mac.Reset()
	mac.text = append(append(mac.text[:0], stamp...), token...)
	mac.Write(mac.text)
	return hmac.Equal(mac.Sum(mac.sum[:0]), mac.claimed[:])
}
