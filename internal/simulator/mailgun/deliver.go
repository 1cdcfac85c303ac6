package mailgun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxMail is the largest mail taken, in bytes; 25 MB is what is commonly quoted for Mailgun's
// inbound side.
const maxMail = 25 << 20

// routeEffect is one thing a route does with a mail: keep it, post it, or both.
type routeEffect struct {
	routeID    string
	action     int // index among the route's actions
	store      bool
	url        string // where to post; "" posts nothing
	domain     string // of the recipients
	recipients []string
}

// Deliver takes a mail as if it had arrived by SMTP in one transaction: from is the envelope
// sender ("" for a bounce), to the envelope recipients, mime the complete mail, with LF or
// CRLF. The routes are evaluated and the mail is stored before Deliver returns; posts go out in
// the background, each with its retries, and are seen with [Account.WaitPosts] and
// [Account.WaitIdle]. A mail no route matches is dropped silently, as Mailgun does.
//
// It fails without a recipient, for a domain that is not served, and on an address with a
// control character or without @. It fails on a mail over 25 MiB, on one that is not MIME, and
// after Close with [ErrClosed].
func (m *Account) Deliver(ctx context.Context, from string, to []string, mime []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(to) == 0 {
		return errors.New("simulator: mail without a recipient")
	}
	for _, recipient := range to {
		if err := m.checkRecipient(recipient); err != nil {
			return err
		}
	}
	if strings.ContainsFunc(from, isControl) {
		return errors.New("simulator: the sender's address has a control character")
	}
	if len(mime) > maxMail {
		return fmt.Errorf("simulator: mail is larger than %d bytes", maxMail)
	}
	now := m.config.Now()
	mime, err := withReceived(from, randomHex(12), now.UTC().Format(time.RFC1123Z), mime)
	if err != nil {
		return err
	}
	mail, err := parseMail(mime)
	if err != nil {
		return err
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for _, recipient := range to {
		m.record("accepted", domainOf(recipient), now, []string{recipient}, mail, nil)
	}
	for _, effect := range m.effects(to, mail) {
		job := delivery{effect: effect, sender: from, mail: mail}
		if effect.store {
			job.stored = m.keep(effect, from, mail, now)
		}
		if effect.url == "" {
			continue
		}
		m.underWay++
		m.work.Go(func() { m.post(job) })
	}
	return nil
}

// Accepts says whether the account receives mail for the address, as its MX hosts decide it.
func (m *Account) Accepts(recipient string) bool { return m.checkRecipient(recipient) == nil }

// checkRecipient says why the account does not receive mail for the address, or nil.
func (m *Account) checkRecipient(recipient string) error {
	local, domain, ok := cutAddress(recipient)
	switch {
	case !ok || local == "" || domain == "" || strings.ContainsFunc(recipient, isControl):
		return errors.New("simulator: a recipient is not a mail address")
	case !m.serves(domain):
		return errors.New("simulator: a recipient's domain is not served")
	}
	return nil
}

// serves says whether the account has the domain.
func (m *Account) serves(domain string) bool {
	return m.config.AnyDomain || strings.EqualFold(domain, m.config.Domain)
}

// effects evaluates the routes for each recipient, in order of priority. The lock must be held.
func (m *Account) effects(recipients []string, mail *parsedMail) []routeEffect {
	var effects []routeEffect
	for _, recipient := range recipients {
		routed := false
		for _, route := range m.routes {
			matched, captures := route.condition.match(recipient, mail, routed)
			if !matched {
				continue
			}
			routed = true
			for _, effect := range route.effects(recipient, captures) {
				effects = m.join(effects, effect)
			}
			if slices.ContainsFunc(route.actions, func(a routeAction) bool { return a.op == "stop" }) {
				break
			}
		}
	}
	return effects
}

// join adds an effect, or with comma manners adds its recipient to the same effect on an
// earlier one. The lock must be held.
func (m *Account) join(effects []routeEffect, e routeEffect) []routeEffect {
	if m.manners.CommaRecipients {
		for i, other := range effects {
			if other.routeID == e.routeID && other.action == e.action && other.url == e.url &&
				other.domain == e.domain {
				effects[i].recipients = append(other.recipients, e.recipients...)
				return effects
			}
		}
	}
	return append(effects, e)
}

// effects returns what the route's actions do for one recipient. Forwarding to a mail address
// does nothing: the simulator sends no mail.
func (r compiledRoute) effects(recipient string, captures captureSet) []routeEffect {
	var effects []routeEffect
	for i, action := range r.actions {
		e := routeEffect{routeID: r.ID, action: i, domain: domainOf(recipient),
			recipients: []string{recipient}}
		if action.op == "store" {
			e.store = true
			if len(action.destinations) > 0 {
				e.url = captures.fill(action.destinations[0])
			}
			effects = append(effects, e)
			continue
		}
		for _, d := range action.destinations {
			if strings.HasPrefix(d, "http") {
				e.url = captures.fill(d)
				effects = append(effects, e)
			}
		}
	}
	return effects
}

// keep stores a mail and records the stored event. The lock must be held.
func (m *Account) keep(
	effect routeEffect, sender string, mail *parsedMail, now time.Time,
) *StoredMail {
	key := randomKey()
	stored := StoredMail{
		Key:        key,
		URL:        m.storage.URL() + "/v3/domains/" + effect.domain + "/messages/" + key,
		Domain:     effect.domain,
		Sender:     sender,
		Recipients: effect.recipients,
		MIME:       mail.mime,
		StoredAt:   now,
	}
	m.stored = newest(append(m.stored, keptMail{StoredMail: stored, mail: mail}))
	m.record("stored", effect.domain, now, effect.recipients, mail, &stored)
	return &stored
}

// domainOf returns the lower-cased part after the last @.
func domainOf(address string) string {
	_, domain, _ := cutAddress(address)
	return strings.ToLower(domain)
}

// cutAddress splits an address at its last @; a quoted local part may have others (RFC 5321,
// 4.1.2).
func cutAddress(address string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, "", false
	}
	return address[:at], address[at+1:], true
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
