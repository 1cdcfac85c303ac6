package demo

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"smsbridge/internal/simulator/dns"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/linkclick"
	"smsbridge/outbound"
	"smsbridge/phonemail"
)

const (
	slug   = "demo"
	domain = "sms.demo.example"
	sender = "+15005550006"

	// So much is kept of each kind, so that a demo may run for days.
	keptPhones = 20
	keptMails  = 100
	keptTexts  = 500
	keptEvents = 300
	keptMail   = 64 << 10 // bytes of one mail
	eventPage  = 1000
	longText   = 1600 // characters, as at Twilio
)

// Stage is everything that the demo plays, and what has been seen of it. A real bridge is between
// a pretend Mailgun, Twilio and identity provider. All are on ports of their own and speak to each
// other over HTTP. Safe for use by several goroutines.
type Stage struct {
	dir      string // with the database; gone in the end
	listener net.Listener
	mailgun  *mailgun.Account
	twilio   *twilio.Account
	idp      *idp.Server
	dns      *dns.Server // has the identity provider's key
	bridge   Bridge

	operators Operators
	tenant    *tenant.Tenant

	signingUp sync.Mutex // which provider it plays is the identity provider's, not the sign-up's

	mu      sync.Mutex
	phones  []phonemail.Number // the one that was used last is last
	mails   []playedMail
	replies []playedText
	replied int           // how many replies there have been
	events  []store.Event // the newest ones, oldest first
	last    string        // id of the last event seen
}

// playedMail is a mail that was delivered to a phone's address.
type playedMail struct {
	ID      string
	Phone   phonemail.Number
	To      string // as it was addressed
	Forged  bool   // by a stranger
	Subject string
	Raw     string
	Finding linkclick.Finding
}

// playedText is a text to or from a phone.
type playedText struct {
	ID        string
	Phone     phonemail.Number
	FromPhone bool
	Body      string
	At        time.Time
}

// Open opens everything. Links may lead to the simulated identity provider and to
// config.IdPHosts. The caller must call Serve, which sets the bridge to work, and then Close.
// It returns a [settings.Mistakes] if config.IdPHosts are not hosts.
func Open(ctx context.Context, config Config) (_ *Stage, err error) {
	s := &Stage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "smsbridge-demo-"); err != nil {
		return nil, fmt.Errorf("demo: a folder for the database: %w", err)
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("demo: a port for the bridge: %w", err)
	}
	if s.operators, err = openOperators(); err != nil {
		return nil, err
	}
	if s.mailgun, err = mailgun.Open(mailgun.Config{
		Domain: domain,
		// No demo runs for the eight hours of the real schedule.
		RetryAfter: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second},
	}); err != nil {
		return nil, err
	}
	accountSID, authToken := "AC"+randomHex(16), randomHex(16)
	if s.twilio, err = twilio.Open(twilio.Config{
		AccountSID: accountSID, AuthToken: authToken, Numbers: []string{sender},
	}); err != nil {
		return nil, err
	}
	if s.idp, err = idp.Open(idp.Config{
		Name: "ACME", From: "no-reply@acme.example", Domain: "acme.example", Selector: "demo",
		Send: s.deliver,
	}); err != nil {
		return nil, err
	}
	s.idp.Set(func(m *idp.Manners) {
		// Its links lead back to this machine, and a password is chosen on its page.
		m.RedirectTo, m.PasswordForm = s.idp.URL()+idp.Welcome, true
	})
	if s.dns, err = dns.Open(); err != nil {
		return nil, err
	}
	if err := s.dns.SetTXT(s.idp.KeyName(), s.idp.PublicKey()); err != nil {
		return nil, err
	}
	settings, err := tenant.FromEnv(s.environ(accountSID, authToken, config.IdPHosts))
	if err != nil {
		return nil, err
	}
	s.tenant, _ = settings.Tenants.Tenant(slug)
	if err := s.mailgun.AddRoute(mailgun.Route{
		Expression: `match_recipient("^demo\+[0-9]+@sms\.demo\.example$")`,
		Actions:    []string{`store(notify="` + settings.MailURL(slug) + `")`, "stop()"},
	}); err != nil {
		return nil, err
	}
	s.twilio.SetReplyURL(settings.ReplyURL(slug))
	s.bridge, err = config.OpenBridge(ctx, settings, config.Log)
	return s, err
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// environ is how the bridge is configured: as any other, but for addresses on this machine.
func (s *Stage) environ(accountSID, authToken string, idpHosts []string) []string {
	storage, _ := url.Parse(s.mailgun.StorageURL()) // made of a listener's address
	verify := tenant.VerifyDKIM
	if len(idpHosts) > 0 {
		verify = tenant.VerifyOff // an identity provider on this machine does not sign its mails
	}
	return append(s.operators.environ(),
		"SMSBRIDGE_SENDER_VERIFY="+string(verify),
		"SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_DNS="+s.dns.Addr().String(),
		"SMSBRIDGE_PUBLIC_URL=http://"+s.listener.Addr().String(),
		"SMSBRIDGE_DRAIN=0s", // no balancer is in front
		"SMSBRIDGE_DATABASE=sqlite:"+filepath.Join(s.dir, "smsbridge.db"),
		"SMSBRIDGE_DISK_LEAST=0", // what it keeps is thrown away at its end
		"SMSBRIDGE_SOCKET=off",   // no command would know of it
		"SMSBRIDGE_TENANT="+slug,
		"SMSBRIDGE_NAME=ACME",
		"SMSBRIDGE_MAIL_DOMAIN="+domain,
		"SMSBRIDGE_COUNTRIES=*",
		"SMSBRIDGE_LINKS_WORK=*",
		"SMSBRIDGE_REPLIES_WORK=*",
		"SMSBRIDGE_LIMIT_WAIT=0s", "SMSBRIDGE_LIMIT_PHONE_HOUR=0", "SMSBRIDGE_LIMIT_PHONE_DAY=0",
		"SMSBRIDGE_LIMIT_PREFIX_HOUR=0", "SMSBRIDGE_LIMIT_COUNTRY_HOUR=0",
		"SMSBRIDGE_LIMIT_ASKER_HOUR=0", "SMSBRIDGE_LIMIT_BREAKER=0", "SMSBRIDGE_DAILY_SEGMENTS=0",
		"SMSBRIDGE_IDP_HOSTS="+strings.Join(append([]string{s.idp.Host()}, idpHosts...), ","),
		"SMSBRIDGE_UNSAFE_ALLOW="+reachable,
		// The links of Clerk and of Okta do not say what they do.
		"SMSBRIDGE_LINK_PATHS=/v1/verify?_clerk_js_version&token,/email/verify/*?token",
		"SMSBRIDGE_RESET=relay",
		"SMSBRIDGE_LOGIN=relay",
		"MAILGUN_API_KEY="+s.mailgun.APIKey(),
		"MAILGUN_WEBHOOK_SIGNING_KEY="+s.mailgun.SigningKey(),
		"MAILGUN_API_BASE="+s.mailgun.URL(),
		"MAILGUN_STORAGE_HOSTS="+storage.Host,
		"TWILIO_ACCOUNT_SID="+accountSID,
		"TWILIO_AUTH_TOKEN="+authToken,
		"TWILIO_FROM="+sender,
		"TWILIO_API_BASE="+s.twilio.URL(),
	)
}

// Serve runs the bridge until ctx ends, and closes its database.
func (s *Stage) Serve(ctx context.Context) error {
	return s.bridge.Serve(ctx, s.listener, s.operators.listener, s.operators.metrics)
}

// Close ends the simulators and removes the database. If Open has succeeded, Serve must have
// returned before.
func (s *Stage) Close() error {
	if s.idp != nil {
		s.idp.Close()
	}
	if s.twilio != nil {
		s.twilio.Close()
	}
	var err error
	if s.mailgun != nil {
		err = s.mailgun.Close()
	}
	if s.dns != nil {
		err = errors.Join(err, s.dns.Close())
	}
	for _, l := range []net.Listener{s.listener, s.operators.listener, s.operators.metrics} {
		if l != nil {
			l.Close() // closed already, if the bridge served
		}
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// IdP returns the simulated identity provider, whose manners a caller may change.
func (s *Stage) IdP() *idp.Server { return s.idp }

// deliver hands a mail to Mailgun, as its MX hosts would. The recipients are phone addresses of
// any tenant; the demo's own tenant gets them, and the mail itself stays as it is. It returns
// the error of phonemail.ParseAddress, or that of mailgun.Account.Deliver.
func (s *Stage) deliver(ctx context.Context, from string, to []string, mime []byte) error {
	var routed []string
	var mails []playedMail
	for _, address := range to {
		_, phone, err := phonemail.ParseAddress(address)
		if err != nil {
			return err
		}
		routed = append(routed, s.tenant.Address.Address(phone))
		mails = append(mails, playedMail{ID: randomHex(8), Phone: phone, To: address,
			Forged: from == stranger,
			Raw:    string(mime[:min(len(mime), keptMail)])})
	}
	if err := s.mailgun.Deliver(ctx, from, routed, mime); err != nil {
		return err
	}
	read, err := linkclick.ReadMIME(bytes.NewReader(mime))
	finding := linkclick.Finding{Reason: "the mail cannot be read"}
	if err == nil {
		finding = linkclick.Find(read, outbound.Rule(s.tenant))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range mails {
		m.Subject, m.Finding = read.Subject, finding
		s.use(m.Phone)
		s.mails = newest(append(s.mails, m), keptMails)
	}
	return nil
}

// use makes phone the one that was used last. The caller holds mu.
func (s *Stage) use(phone phonemail.Number) {
	s.phones = slices.DeleteFunc(s.phones, func(other phonemail.Number) bool { return other == phone })
	s.phones = newest(append(s.phones, phone), keptPhones)
}

// newest is at most the last n of all.
func newest[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// signUp has the identity provider create an account for the phone's address, with the mail and
// link of the given provider. The error is the identity provider's.
func (s *Stage) signUp(ctx context.Context, phone phonemail.Number, provider idp.Provider) error {
	s.signingUp.Lock()
	defer s.signingUp.Unlock()
	s.idp.Set(func(m *idp.Manners) { m.Provider = provider })
	return s.idp.SignUp(ctx, s.tenant.Address.Address(phone))
}

var (
	errNoReply     = errors.New("a text has 1 to " + strconv.Itoa(longText) + " characters")
	errReplyFailed = errors.New("the bridge did not take the reply from Twilio")
)

// reply texts from the phone to the bridge's number, and returns when the bridge has taken the
// text.
func (s *Stage) reply(ctx context.Context, phone phonemail.Number, body string) error {
	if n := utf8.RuneCountInString(body); n == 0 || n > longText {
		return errNoReply
	}
	s.mu.Lock()
	s.replied++
	s.use(phone)
	reply := playedText{"reply-" + strconv.Itoa(s.replied), phone, true, body, time.Now()}
	s.replies = newest(append(s.replies, reply), keptTexts)
	s.mu.Unlock()
	hook, err := s.twilio.Phone(phone.E164()).ReplyTo(ctx, sender, body)
	if err == nil && hook.Code != 0 {
		err = errReplyFailed
	}
	return err
}

// texts are what the phone sent and received, oldest first.
func (s *Stage) texts(phone phonemail.Number) []playedText {
	var texts []playedText
	for _, t := range newest(s.twilio.Phone(phone.E164()).Inbox(), keptTexts) {
		texts = append(texts, playedText{"text-" + t.SID, phone, false, t.Body, t.Time})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replies {
		if r.Phone == phone {
			texts = append(texts, r)
		}
	}
	slices.SortStableFunc(texts, func(a, b playedText) int { return a.At.Compare(b.At) })
	return texts
}

// received is how many texts the phone has received.
func (s *Stage) received(phone phonemail.Number) int {
	return len(s.twilio.Phone(phone.E164()).Inbox())
}

// account is what the pretend identity provider says about the phone's account: that there is
// none, that it is waiting or verified. Of accounts elsewhere, known by their mails, it is unknown.
func (s *Stage) account(phone phonemail.Number) (state string) {
	address := s.tenant.Address.Address(phone)
	mails := slices.DeleteFunc(s.mailsTo(phone), func(m playedMail) bool { return m.Forged })
	ours := slices.ContainsFunc(mails, func(m playedMail) bool { return m.To == address })
	switch {
	case s.idp.Verified(address):
		state = "verified"
	case ours:
		state = "waiting"
	case len(mails) > 0:
		state = "unknown"
	default:
		state = "none"
	}
	return state
}

// mailsTo are the mails to the phone, oldest first.
func (s *Stage) mailsTo(phone phonemail.Number) []playedMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.mails), func(m playedMail) bool {
		return m.Phone != phone
	})
}

// used are the phones that had a part in the play, in the order of their numbers, and the one
// that was used last.
func (s *Stage) used() (all []phonemail.Number, last phonemail.Number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.phones) > 0 {
		last = s.phones[len(s.phones)-1]
	}
	all = slices.Clone(s.phones)
	slices.SortFunc(all, func(a, b phonemail.Number) int { return cmp.Compare(a.E164(), b.E164()) })
	return all, last
}

// timeline is what the bridge has recorded: the newest events, oldest first.
func (s *Stage) timeline(ctx context.Context) ([]store.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.bridge.Store.Read(ctx, func(ctx context.Context, view store.View) error {
		fresh, err := store.Timeline(ctx, view, s.last, eventPage)
		if err != nil || len(fresh) == 0 {
			return err
		}
		s.last = fresh[len(fresh)-1].ID
		s.events = newest(append(s.events, fresh...), keptEvents)
		return nil
	})
	return slices.Clone(s.events), err
}
