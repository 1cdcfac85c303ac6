package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/simulator/twilio"
)

// caller is who asks for codes in a story: the tenant's app, and a browser at the form to which
// Auth0 sends a log-in.
type caller struct {
	browser *http.Client
	form    string // the address of the form
	page    string // as the browser last saw it

	mu   sync.Mutex
	told []string // the events that the app was sent
}

// app: the tenant's app listens for how verifications end, at $APP. $DOOR is a free address for a
// door that listens by itself.
func storyApp(ts *testscript.TestScript, _ bool, _ []string) {
	c := &in(ts).caller
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told = append(c.told, string(body))
	}))
	ts.Defer(app.Close)
	ts.Setenv("APP", app.URL)
	door, err := freeAddr()
	ts.Check(err)
	ts.Setenv("DOOR", door)
}

// told REGEXP: the app has been sent an event that reads so.
func storyTold(ts *testscript.TestScript, _ bool, args []string) {
	want, c := regexp.MustCompile(args[0]), &in(ts).caller
	until(ts, "the app to be told "+args[0], func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return want.MatchString(strings.Join(c.told, "\n"))
	})
}

// refuses PHONE CODE: Twilio refuses every text to the phone for good, with this error.
func storyRefuses(ts *testscript.TestScript, _ bool, args []string) {
	code, err := strconv.Atoi(args[1])
	ts.Check(err)
	in(ts).twilio.Set(func(m *twilio.Manners) {
		reject := maps.Clone(m.Reject)
		if reject == nil {
			reject = map[string]int{}
		}
		reject[args[0]] = code
		m.Reject = reject
	})
}

var storyID = regexp.MustCompile(`"id": ?"([^"]+)"`)

// ask KEY METHOD URL [JSON]: the app asks at a door with its key. The response's status and body
// are its standard output, and $ID is the id in it.
func storyAsk(ts *testscript.TestScript, _ bool, args []string) {
	body := ""
	if len(args) > 3 {
		body = args[3]
	}
	req, err := http.NewRequest(args[1], args[2], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+args[0])
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	ts.Check(err)
	if id := storyID.FindSubmatch(said); id != nil {
		ts.Setenv("ID", string(id[1]))
	}
	fmt.Fprintf(ts.Stdout(), "%d\n%s\n", res.StatusCode, said)
}

// login [PHONE]: Auth0 sends a browser with a log-in to the form. Its token has the phone, if any.
func storyLogin(ts *testscript.TestScript, _ bool, args []string) {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": ts.Getenv("AUTH0_HOST"), "sub": "auth0|" + strconv.FormatInt(now.UnixNano(), 36),
		"iat": now.Unix(), "exp": now.Add(15 * time.Minute).Unix(),
	}
	if len(args) > 0 {
		claims["phone_number"] = args[0]
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).
		SignedString([]byte(ts.Getenv("AUTH0_SECRET")))
	ts.Check(err)
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	c := &in(ts).caller
	c.browser = &http.Client{Jar: jar}
	c.form = in(ts).public + "/auth0/acme/verify"
	res, err := c.browser.Get(c.form + "?" +
		url.Values{"session_token": {token}, "state": {"login-state"}}.Encode())
	ts.Check(err)
	c.see(ts, res)
}

// press BUTTON [FIELD=VALUE...]: the browser fills in the form and presses a button of it.
func storyPress(ts *testscript.TestScript, _ bool, args []string) {
	c := &in(ts).caller
	fields := inboundtest.HiddenFields(c.page)
	fields.Set("do", args[0])
	for _, typed := range args[1:] {
		name, value, _ := strings.Cut(typed, "=")
		fields.Set(name, value)
	}
	res, err := c.browser.PostForm(c.form, fields)
	ts.Check(err)
	c.see(ts, res)
}

// page REGEXP: the page of the form comes to say so, at the latest when it is loaded again.
func storyPage(ts *testscript.TestScript, _ bool, args []string) {
	c, want := &in(ts).caller, regexp.MustCompile(args[0])
	until(ts, "the page to say "+args[0], func() bool {
		if want.MatchString(c.page) {
			return true
		}
		res, err := c.browser.Get(c.form + "?" + inboundtest.HiddenFields(c.page).Encode())
		ts.Check(err)
		c.see(ts, res)
		return want.MatchString(c.page)
	})
}

// see keeps the page that a browser was shown.
func (c *caller) see(ts *testscript.TestScript, res *http.Response) {
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	ts.Check(err)
	c.page = string(page)
}
