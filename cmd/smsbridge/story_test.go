package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"smsbridge/internal/simulator/collector"
	"smsbridge/internal/simulator/dns"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/simulator/twilio"
)

// A story is a file in testdata/story: a person's or operator's experience with the real binary,
// told as a script. Around each runs a pretend Mailgun, Twilio and identity provider; the
// commands below move them. Waiting is bounded by storyPatience and ends as soon as the
// awaited thing has come.
const storyPatience = 2 * time.Minute

// storiesAtOnce are more than most machines have cores: a story waits for bridges and providers.
const storiesAtOnce = "4"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", storiesAtOnce); err != nil { // -parallel changes it
		panic(err)
	}
	testscript.Main(tests{m}, map[string]func(){"smsbridge": storyMain})
}

// tests are those of this package.
type tests struct{ *testing.M }

// Run implements testscript.TestingM. It closes the browser that the tests share.
func (t tests) Run() int {
	defer chromium.close()
	return t.M.Run()
}

// theater is what plays around a story, and what the bridge in it is told.
type theater struct {
	mailgun *mailgun.Account
	twilio  *twilio.Account
	idp     *idp.Server
	dns     *dns.Server
	traces  *collector.Server // nil when there is none
	public  string
	env     map[string]string
	caller  caller
	// noReceipts says that Twilio is told to post none.
	noReceipts bool
}

type theaterKey struct{}

// setScene sets the scene of one story.
func setScene(e *testscript.Env, database string) error {
	th, err := openTheater(database)
	if err != nil {
		return err
	}
	e.Defer(th.close)
	for name, value := range th.env {
		e.Setenv(name, value)
	}
	e.Setenv("SOON", time.Now().AddDate(0, 0, 30).Format(time.DateOnly))
	e.Values[theaterKey{}] = th
	return nil
}

// unlimited lifts the limits for a test that texts many neighboring numbers at once.
func (th *theater) unlimited() {
	th.env["SMSBRIDGE_LIMIT_WAIT"] = "0s"
	for _, limit := range []string{"LIMIT_PHONE_HOUR", "LIMIT_PHONE_DAY", "LIMIT_PREFIX_HOUR",
		"LIMIT_COUNTRY_HOUR", "LIMIT_ASKER_HOUR", "LIMIT_BREAKER", "DAILY_SEGMENTS"} {
		th.env["SMSBRIDGE_"+limit] = "0"
	}
}

// openTheater opens the providers and makes the variables of a bridge with one tenant between
// them.
func openTheater(database string) (*theater, error) {
	const (
		sealing = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		account = "AC00000000000000000000000000000001"
		token   = "fedcba9876543210fedcba9876543210"
		signing = "9c4be1f072a8d6350e7b1fc2a95d8e46"
		api     = "key-7d2f61c09be84a53f1e6c8b20d94a7e3"
	)
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	th := &theater{public: "http://" + addr}
	retry := make([]time.Duration, 150)
	for i := range retry {
		retry[i] = 200 * time.Millisecond
	}
	if th.mailgun, err = mailgun.Open(mailgun.Config{
		Domain: "sms.acme.example", APIKey: api, SigningKey: signing, RetryAfter: retry,
	}); err != nil {
		return nil, err
	}
	if err := th.route("acme"); err != nil {
		return nil, err
	}
	if th.twilio, err = twilio.Open(twilio.Config{
		AccountSID: account, AuthToken: token, Numbers: []string{"+15005550006"},
		Names: []string{"ACME"}, ReplyURL: th.public + "/twilio/acme/reply#rc=2&rp=all",
	}); err != nil {
		return nil, err
	}
	if th.idp, err = idp.Open(idp.Config{
		Name: "ACME", From: "no-reply@acme.example", Domain: "acme.example", Selector: "s1",
		Send: th.mailgun.Deliver,
	}); err != nil {
		return nil, err
	}
	if th.dns, err = dns.Open(); err != nil {
		return nil, err
	}
	if err := th.dns.SetTXT(th.idp.KeyName(), th.idp.PublicKey()); err != nil {
		return nil, err
	}
	th.dns.SetMX("sms.acme.example", "mxa.mailgun.org", "mxb.mailgun.org")
	th.env = map[string]string{
		"SMSBRIDGE_ADDR": addr, "SMSBRIDGE_DRAIN": "0s",
		"SMSBRIDGE_PUBLIC_URL": th.public, "SMSBRIDGE_DATABASE": database,
		"SMSBRIDGE_KEY": sealing, "SMSBRIDGE_TENANT": "acme",
		"SMSBRIDGE_CODE_LOCALE": "en",
		"SMSBRIDGE_NAME":        "ACME", "SMSBRIDGE_COUNTRIES": "DK", "SMSBRIDGE_LINKS_WORK": "DK",
		"SMSBRIDGE_MAIL_DOMAIN":    "sms.acme.example",
		"SMSBRIDGE_SENDER_DOMAINS": "acme.example",
		"SMSBRIDGE_DNS":            th.dns.Addr().String(),
		"SMSBRIDGE_IDP_HOSTS":      th.idp.Host(), "SMSBRIDGE_UNSAFE_ALLOW": "127.0.0.0/8",
		"MAILGUN_API_KEY": api, "MAILGUN_WEBHOOK_SIGNING_KEY": signing,
		"MAILGUN_API_BASE":      th.mailgun.URL(),
		"MAILGUN_STORAGE_HOSTS": strings.TrimPrefix(th.mailgun.StorageURL(), "http://"),
		"TWILIO_ACCOUNT_SID":    account, "TWILIO_AUTH_TOKEN": token, "TWILIO_FROM": "+15005550006",
		"TWILIO_API_BASE": th.twilio.URL(),
	}
	return th, nil
}

// route has the only route at Mailgun post mails to a tenant's door.
func (th *theater) route(slug string) error {
	return th.mailgun.AddRoute(mailgun.Route{
		ID:         "phones",
		Expression: `match_recipient("(?i)^acme\+[0-9]+@sms\.acme\.example$")`,
		Actions:    []string{`store(notify="` + th.public + `/mailgun/` + slug + `")`, `stop()`},
	})
}

// close ends the play. Its parts serve loopback sockets only, so there is nothing to lose.
func (th *theater) close() {
	th.idp.Close()
	th.twilio.Close()
	_ = th.mailgun.Close()
	_ = th.dns.Close()
}

// lastPort is the port that was given out last. A bridge keeps its port while it is stopped and
// started again. So the ports are not from 32768 and above, out of which the system serves others.
var lastPort atomic.Int32

// freeAddr is a free loopback address, which no other test is given.
func freeAddr() (string, error) {
	const first, most = 21_000, 10_000
	mine := 61 * os.Getpid() // another run on this machine begins elsewhere
	for range most {
		addr := fmt.Sprintf("127.0.0.1:%d", first+(mine+int(lastPort.Add(1)))%most)
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no port is free")
}

func storyCommands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"ready":    storyReady,
		"signup":   storySignUp,
		"forge":    storyForge,
		"dns":      storyDNS,
		"password": storyPassword,
		"text":     storyText,
		"texts":    storyTexts,
		"reply":    storyReply,
		"verified": storyVerified,
		"changed":  storyChanged,
		"clicks":   storyClicks,
		"stored":   storyStored,
		"posts":    storyPosts,
		"settle":   storySettle,
		"resealed": storyResealed,
		"idp":      storyIdP,
		"twilio":   storyTwilio,
		"mailgun":  storyMailgun,
		"later":    storyLater,
		"early":    storyEarly,
		"takeover": storyTakeover,
		"fill":     storyFill,
		"tap":      storyTap,
		"repeat":   storyRepeat,
		"resend":   storyResend,
		"stranger": storyStranger,
		"refuses":  storyRefuses,
		"app":      storyApp,
		"told":     storyTold,
		"ask":      storyAsk,
		"login":    storyLogin,
		"press":    storyPress,
		"page":     storyPage,
		"finds":    storyFinds,
		"metric":   storyMetric,
		"poison":   storyPoison,

		"collector": storyCollector,
		"spans":     storySpans,
	}
}

func in(ts *testscript.TestScript) *theater { return ts.Value(theaterKey{}).(*theater) }

func patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), storyPatience)
}

// until polls a condition until it holds.
func until(ts *testscript.TestScript, what string, holds func() bool) {
	ctx, cancel := patience()
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			ts.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

func address(phone string) string { return "acme" + phone + "@sms.acme.example" }

// ready: the bridge responds that it can record what it is sent.
func storyReady(ts *testscript.TestScript, _ bool, _ []string) {
	th := in(ts)
	until(ts, "the bridge to be ready", func() bool {
		res, err := http.Get(th.public + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// signup PHONE: a person registers with the phone at the identity provider, which sends its
// mail.
func storySignUp(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := patience()
	defer cancel()
	ts.Check(in(ts).idp.SignUp(ctx, address(args[0])))
}

// password PHONE: a person asks for a new password.
func storyPassword(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := patience()
	defer cancel()
	ts.Check(in(ts).idp.ChangePassword(ctx, address(args[0])))
}

// text PHONE N REGEXP: the phone's Nth text arrives and reads so.
func storyText(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ctx, cancel := patience()
	defer cancel()
	texts, err := in(ts).twilio.Phone(args[0]).Wait(ctx, n)
	if err != nil {
		ts.Fatalf("text %d to %s did not come: %v", n, args[0], err)
	}
	if !regexp.MustCompile(args[2]).MatchString(texts[n-1].Body) {
		ts.Fatalf("text %d to %s reads %q", n, args[0], texts[n-1].Body)
	}
}

// texts PHONE N: the phone has received N texts. Say settle before.
func storyTexts(ts *testscript.TestScript, _ bool, args []string) {
	got := in(ts).twilio.Phone(args[0]).Inbox()
	if strconv.Itoa(len(got)) != args[1] {
		ts.Fatalf("%s has %d texts: %v", args[0], len(got), got)
	}
}

// reply PHONE WORDS: the phone answers the text it received last. With ! the bridge does not
// take it.
func storyReply(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := patience()
	defer cancel()
	hook, err := in(ts).twilio.Phone(args[0]).Reply(ctx, strings.Join(args[1:], " "))
	ts.Check(err)
	if taken := hook.Code == 0 && hook.Status == http.StatusOK; taken == neg {
		ts.Fatalf("the reply was answered with status %d, code %d", hook.Status, hook.Code)
	}
}

// repeat PHONE N REGEXP: the phone answers with the words of its Nth text that read so.
func storyRepeat(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	words := regexp.MustCompile(args[2]).FindString(in(ts).twilio.Phone(args[0]).Inbox()[n-1].Body)
	storyReply(ts, false, []string{args[0], words})
}

// verified PHONE: the identity provider says that the address is verified.
func storyVerified(ts *testscript.TestScript, neg bool, args []string) {
	if neg == in(ts).idp.Verified(address(args[0])) {
		ts.Fatalf("%s: verified is %v", args[0], !neg)
	}
}

// changed PHONE: the identity provider says that the new password holds.
func storyChanged(ts *testscript.TestScript, neg bool, args []string) {
	if neg == in(ts).idp.PasswordChanged(address(args[0])) {
		ts.Fatalf("%s: changed is %v", args[0], !neg)
	}
}

// clicks N: the identity provider's links were requested N times, and never with HEAD.
func storyClicks(ts *testscript.TestScript, _ bool, args []string) {
	n := 0
	for _, r := range in(ts).idp.Requests() {
		if r.Method == http.MethodHead {
			ts.Fatalf("a link was requested with HEAD")
		}
		n++
	}
	if strconv.Itoa(n) != args[0] {
		ts.Fatalf("there were %d requests: %v", n, in(ts).idp.Requests())
	}
}

// stored N: Mailgun comes to keep N mails.
func storyStored(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, "Mailgun to keep "+args[0]+" mails", func() bool {
		return strconv.Itoa(len(in(ts).mailgun.Stored())) == args[0]
	})
}

// posts N STATUS: Mailgun has posted N times or more, and the response to the last post had
// the status.
func storyPosts(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	until(ts, args[0]+" posts ending with "+args[1], func() bool {
		posts := in(ts).mailgun.Posts()
		return len(posts) >= n && strconv.Itoa(posts[len(posts)-1].Status) == args[1]
	})
}

// tap PHONE N REGEXP: the short link in the phone's Nth text is looked at by previews and
// scanners, which does nothing, and then its button is pressed. It leads on to an address that
// reads so, or to a page that comes to say so.
func storyTap(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	inbox, want := in(ts).twilio.Phone(args[0]).Inbox(), regexp.MustCompile(args[2])
	link := regexp.MustCompile(`http\S+/l/[\w-]{22}`).FindString(inbox[n-1].Body)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client := &http.Client{CheckRedirect: stay}
	page := func(method string) (string, string) {
		req, err := http.NewRequest(method, link, nil)
		ts.Check(err)
		res, err := client.Do(req)
		ts.Check(err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		ts.Check(err)
		return string(body), res.Header.Get("Location")
	}
	page(http.MethodHead)
	page(http.MethodGet)
	if before, _ := page(http.MethodGet); !strings.Contains(before, "<button") {
		ts.Fatalf("the page of the short link has no button: %s", before)
	}
	_, location := page(http.MethodPost)
	if strings.HasPrefix(location, "http") {
		if !want.MatchString(location) {
			ts.Fatalf("the short link leads elsewhere")
		}
		return
	}
	until(ts, "the page to say "+args[2], func() bool {
		body, _ := page(http.MethodGet)
		return want.MatchString(body)
	})
}

// fill FILE: the file's $VARIABLES get their values.
func storyFill(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// idp KNOB…: how the identity provider behaves from now on.
func storyIdP(ts *testscript.TestScript, _ bool, args []string) {
	in(ts).idp.Set(func(m *idp.Manners) {
		for _, knob := range args {
			switch knob {
			case "redirect":
				m.Provider = idp.Auth0Classic
			case "page":
				m.Provider = idp.Auth0ClassicPage
			case "form":
				m.Provider = idp.Auth0Universal
			case "proceed":
				m.Provider = idp.Keycloak
			case "dead":
				m.DeadLink = true
			case "down":
				m.Down = true
			case "up":
				m.Down = false
			case "extra-links":
				m.ExtraLinks = true
			case "password-form":
				m.PasswordForm = true
			case "password-page":
				m.PasswordPage = true
			case "mute":
				m.Mute = true
			case "supabase":
				m.Provider = idp.GoTrue
			case "better-auth":
				m.Provider = idp.BetterAuth
			case "two-links":
				m.TwoVerifyLinks = true
			case "well":
				*m = idp.Manners{}
			case "expired":
				m.Expired = true
			default:
				ts.Fatalf("no such knob: %s", knob)
			}
		}
	})
}

// twilio KNOB…: how Twilio behaves from now on.
func storyTwilio(ts *testscript.TestScript, _ bool, args []string) {
	th := in(ts)
	th.twilio.Set(func(m *twilio.Manners) {
		for _, knob := range args {
			switch knob {
			case "busy":
				m.FailNext, m.FailStatus, m.FailCode = 1000, http.StatusTooManyRequests, 20429
			case "stranger":
				m.FailNext, m.FailStatus, m.FailCode = 1000, http.StatusUnauthorized, 20003
			case "slow":
				m.Slow = 5200 * time.Millisecond
			case "well":
				*m, th.noReceipts = twilio.Manners{}, false
			case "no-receipts":
				m.DropReceipts, th.noReceipts = true, true
			case "duplicates":
				m.DuplicateReplies, m.DuplicateReceipts, m.ReceiptsOutOfOrder = true, true, true
			case "lose-answer":
				m.LoseResponse = 1
			default:
				ts.Fatalf("no such knob: %s", knob)
			}
		}
	})
}

// mailgun KNOB…: how Mailgun behaves from now on.
func storyMailgun(ts *testscript.TestScript, _ bool, args []string) {
	switch args[0] {
	case "no-route":
		ts.Check(in(ts).route("acne"))
		return
	case "route":
		ts.Check(in(ts).route("acme"))
		return
	}
	in(ts).mailgun.Set(func(m *mailgun.Manners) {
		for _, knob := range args {
			switch knob {
			case "duplicates":
				m.DuplicatePosts = 3
			case "fresh-duplicates":
				m.DuplicatePosts, m.FreshTriple = 3, true
			case "no-posts":
				m.DropPosts = 1000
			case "posts":
				m.DropPosts = 0
			case "lag":
				m.EventLag, m.EventsOutOfOrder = 3*time.Second, true
			case "no-delete":
				m.DeleteStatus = http.StatusMethodNotAllowed
			default:
				ts.Fatalf("no such knob: %s", knob)
			}
		}
	})
}
