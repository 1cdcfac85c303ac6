package demo

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

//go:embed page.html script.js style.css icon.svg
var files embed.FS

// pageTemplate is read with the first page: a bridge shows none.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.html").Funcs(template.FuncMap{
		"clock": func(at time.Time) string { return at.Local().Format("15:04:05") },
		"exact": func(at time.Time) string { return at.Local().Format("15:04:05.000") },
	}).ParseFS(files, "page.html"))
})

const (
	// lookEvery is how often an open page is compared with what has happened.
	lookEvery = 150 * time.Millisecond
	// newsWait is how long a browser without JavaScript waits for the first thing that its form
	// causes.
	newsWait       = 3 * time.Second
	pageTimeout    = 10 * time.Second
	longestForm    = 16 << 10
	securityPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// Page shows the stage to a browser and lets it play: the person who signs up and the phone. It
// needs no login, because it is on loopback; so that pages of other sites cannot play instead,
// it refuses their forms and serves requests to no name that they could give this machine.
type Page struct {
	Stage    *Stage
	Addr     net.Addr // where it is
	Asked    string   // host:port that the person asked for
	SMTP     net.Addr // where mails of another identity provider are taken; nil: nowhere
	IdPHosts []string // of that identity provider

	rendering sync.Mutex
	turn      int64 // of the page that was rendered last
}

// view is what the page shows of one phone.
type view struct {
	Phone     string
	Phones    []string
	Account   string // none, waiting, verified, or unknown when another identity provider has it
	Password  bool   // a new password is active
	SignedIn  bool
	Texts     []playedText
	Mails     []playedMail
	Events    []store.Event
	Providers []Choice
	Notice    string // what went wrong with a form
	SMTP      string
	IdPHosts  string
	Example   string
	Operators Operators
}

// url is where a browser on this machine finds the page.
func (p *Page) url() string {
	host, port, _ := net.SplitHostPort(p.Addr.String())
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Serve serves the page until ctx ends or the listener fails.
func (p *Page) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: p.Handler(), ReadHeaderTimeout: pageTimeout, ReadTimeout: pageTimeout,
		WriteTimeout: pageTimeout,
		BaseContext:  func(net.Listener) context.Context { return ctx },
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Handler returns what serves the page.
func (p *Page) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.showPage)
	mux.HandleFunc("GET /live", p.streamPage)
	mux.HandleFunc("POST /sign-up", p.receiveSignUp)
	mux.HandleFunc("POST /code", p.receiveCode)
	mux.HandleFunc("POST /reply", p.receiveReply)
	for _, name := range []string{"style.css", "script.js", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, files, name)
		})
	}
	return p.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard refuses requests to names that another site may have made point here (DNS rebinding),
// and keeps foreign code and frames off the page.
func (p *Page) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", securityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		if !p.hasName(hostOf(r.Host)) {
			http.Error(w, "This page is at "+p.url(), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hasName reports whether a request may ask for the page under a host. No site can make a browser
// believe that an IP address is the site's own name. So every IP address is as good as loopback,
// once the person has opened the page to the network.
func (p *Page) hasName(host string) bool {
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && ip.IsLoopback() {
		return true
	}
	return !IsLoopback(p.Addr) && (err == nil || host == hostOf(p.Asked) && host != "")
}

func (p *Page) showPage(w http.ResponseWriter, r *http.Request) { p.show(w, r, http.StatusOK, "") }

func (p *Page) show(w http.ResponseWriter, r *http.Request, status int, notice string) {
	page, turn, err := p.render(r.Context(), p.phoneOf(r), notice)
	if err != nil {
		http.Error(w, "The demo cannot show its page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Page-Turn", strconv.FormatInt(turn, 10))
	w.WriteHeader(status)
	w.Write(page)
}

// phoneOf is the phone a request is about: the one it names, else the one that was used last,
// else the first.
func (p *Page) phoneOf(r *http.Request) phonemail.Number {
	if phone, err := readPhone(r.FormValue("phone")); err == nil {
		return phone
	}
	_, phone := p.Stage.used()
	if phone == (phonemail.Number{}) {
		phone, _ = phonemail.ParseNumber(Phone)
	}
	return phone
}

// readPhone reads a number as people write it.
func readPhone(s string) (phonemail.Number, error) {
	return phonemail.ParseNumber(strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(s))
}

// render makes the page, and numbers it. A page shows all that one with a lower number shows. So a
// browser that gets them in another order keeps the newer one.
func (p *Page) render(
	ctx context.Context, phone phonemail.Number, notice string,
) (page []byte, turn int64, err error) {
	p.rendering.Lock()
	defer p.rendering.Unlock()
	p.turn++
	page, err = p.draw(ctx, phone, notice)
	return page, p.turn, err
}

func (p *Page) draw(ctx context.Context, phone phonemail.Number, notice string) ([]byte, error) {
	events, err := p.Stage.timeline(ctx)
	if err != nil {
		return nil, err
	}
	v := view{
		Phone: phone.E164(), Texts: p.Stage.texts(phone), Mails: p.Stage.mailsTo(phone), Events: events,
		Providers: Providers(), Notice: notice,
		IdPHosts: strings.Join(p.IdPHosts, ", "), Example: Example,
		Operators: p.Stage.operators,
	}
	v.Account = p.Stage.account(phone)
	v.Password, v.SignedIn = p.Stage.did(phone)
	phones, _ := p.Stage.used()
	for _, other := range phones {
		v.Phones = append(v.Phones, other.E164())
	}
	if p.SMTP != nil {
		v.SMTP = p.SMTP.String()
	}
	var page bytes.Buffer
	err = pageTemplate().Execute(&page, v)
	return page.Bytes(), err
}

// streamPage sends the page whenever it has changed, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html), until the browser leaves or
// the demo ends. There a CR alone ends a line, too.
func (p *Page) streamPage(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{}) // a browser sends nothing more
	w.Header().Set("Content-Type", "text/event-stream")
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var sent []byte
	lines := strings.NewReplacer("\r\n", "\ndata: ", "\r", "\ndata: ", "\n", "\ndata: ")
	for {
		page, turn, err := p.render(r.Context(), p.phoneOf(r), "")
		if err != nil {
			return // the browser asks again
		}
		if !bytes.Equal(page, sent) {
			control.SetWriteDeadline(time.Now().Add(pageTimeout))
			event := "data: " + lines.Replace(string(page))
			if _, err := fmt.Fprintf(w, "%s\nid: %d\n\n", event, turn); err != nil ||
				control.Flush() != nil {
				return
			}
			sent = page
		}
		select {
		case <-look.C:
		case <-r.Context().Done():
			return
		}
	}
}

// receiveSignUp has the identity provider make an account, change its password or sign it in, or a
// stranger forge its mail.
func (p *Page) receiveSignUp(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	phone, err := readPhone(r.PostFormValue("phone"))
	if err != nil {
		p.show(w, r, http.StatusUnprocessableEntity,
			"This is no phone number. Write it with its country code, such as "+Phone+".")
		return
	}
	received := p.Stage.received(phone)
	switch do := r.PostFormValue("do"); do {
	case "password":
		err = p.Stage.changePassword(r.Context(), phone)
	case "link", "code":
		err = p.Stage.signIn(r.Context(), phone, do == "code")
	case "forge":
		err = p.Stage.forge(r.Context(), phone)
	default:
		err = p.Stage.signUp(r.Context(), phone, readProvider(r.PostFormValue("provider")))
	}
	switch {
	case errors.Is(err, idp.ErrUserExists):
		p.show(w, r, http.StatusUnprocessableEntity,
			"ACME has an account for "+phone.E164()+" already. Change its password, or sign up another "+
				"number.")
	case errors.Is(err, idp.ErrUserUnknown):
		p.show(w, r, http.StatusUnprocessableEntity,
			"ACME has no account for "+phone.E164()+" yet. Sign up first.")
	case err != nil:
		p.show(w, r, http.StatusInternalServerError, "That did not work: "+err.Error()+".")
	default:
		p.goOn(w, r, phone, received)
	}
}

// receiveCode types a code at the identity provider.
func (p *Page) receiveCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	phone, err := readPhone(r.PostFormValue("phone"))
	if err == nil {
		err = p.Stage.enterCode(phone, strings.TrimSpace(r.PostFormValue("code")))
	}
	if err != nil {
		p.show(w, r, http.StatusUnprocessableEntity, "ACME does not accept this code.")
		return
	}
	p.goOn(w, r, phone, 0) // no text comes of it
}

// receiveReply has the phone send a text.
func (p *Page) receiveReply(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	phone, err := readPhone(r.PostFormValue("phone"))
	if err != nil {
		p.show(w, r, http.StatusUnprocessableEntity, "No phone sent this text.")
		return
	}
	received := p.Stage.received(phone)
	text := cmp.Or(r.PostFormValue("quick"), r.PostFormValue("text"))
	err = p.Stage.reply(r.Context(), phone, strings.TrimSpace(text))
	switch {
	case errors.Is(err, errNoReply):
		p.show(w, r, http.StatusUnprocessableEntity, "Write a text first: "+err.Error()+".")
	case err != nil:
		p.show(w, r, http.StatusInternalServerError, "That did not work: "+err.Error()+".")
	default:
		p.goOn(w, r, phone, received)
	}
}

// goOn sends the browser back to the page. A browser that submits forms without the page's
// JavaScript sees no news later on. So it waits a moment for a text that the phone has not
// received yet.
func (p *Page) goOn(w http.ResponseWriter, r *http.Request, phone phonemail.Number, received int) {
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		ctx, cancel := context.WithTimeout(r.Context(), newsWait)
		defer cancel()
		p.Stage.twilio.Phone(phone.E164()).Wait(ctx, received+1) // the page shows what there is
	}
	http.Redirect(w, r, "/?phone="+url.QueryEscape(phone.E164())+"#phone", http.StatusSeeOther)
}

// IsLoopback reports whether only this machine can connect to the address.
func IsLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// hostOf is the host of host:port, in small letters.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// Announce says where the page is and what to try.
func (p *Page) Announce(w io.Writer) {
	fmt.Fprintf(w, "Open %s and\n\n"+
		"  1. sign up with the phone number in the form,\n"+
		"  2. read the text on the phone, and reply YES,\n"+
		"  3. watch the account become verified,\n"+
		"  4. change the password, or sign in by a link or a code.\n\n"+
		"Everything is pretend: Mailgun, Twilio, the identity provider and the phone are played in "+
		"this process.\n", p.url())
	if p.SMTP != nil {
		fmt.Fprintf(w, "Mails of your identity provider are taken at %s, without encryption and "+
			"login, to addresses such as\n"+
			"%s. Links to %s are opened on YES. The sender is not verified, as such mails "+
			"have no signature.\n", p.SMTP, Example, strings.Join(p.IdPHosts, ", "))
	}
	p.Stage.operators.announce(w)
	fmt.Fprintln(w, "Ctrl-C ends the demo and forgets everything.")
}
