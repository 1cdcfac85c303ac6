package linkclick

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// defaultUserAgent is a common browser's.
const defaultUserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// maxResponseHeader bounds the header of a response, in bytes.
const maxResponseHeader = 64 << 10

// testOnly lets tests use their own certificates, name server and network.
type testOnly struct {
	roots    *x509.CertPool
	resolver *net.Resolver
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

// errNotPermitted stands for the error of the submit hook, whose words might hold a secret.
var errNotPermitted = errors.New("not permitted")

// send makes one request and reads its response within the limits.
func (k *click) send(ctx context.Context, r request) (response, error) {
	if r.isPost() {
		if k.posted || k.submit != nil && k.submit() != nil {
			return response{}, errNotPermitted
		}
		k.posted = true
	}
	req, err := k.newRequest(ctx, r)
	if err != nil {
		return response{}, err
	}
	k.result.Steps = append(k.result.Steps, Step{Method: req.Method, Host: r.to.Host})
	transport := k.transport(r.to.Scheme == "http")
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	k.result.Steps[len(k.result.Steps)-1].Status = resp.StatusCode
	k.jars.of(r.to).SetCookies(r.to, resp.Cookies())

	a := response{request: r, status: resp.StatusCode, location: resp.Header.Get("Location"),
		whole: resp.ContentLength == 0}
	for _, cookie := range resp.Cookies() {
		if cookie.Value != "" && cookie.MaxAge >= 0 {
			a.cookies = append(a.cookies, cookie.Name)
		}
	}
	if a.status >= 300 && a.status < 400 {
		return k.readRedirect(a, resp), nil
	}
	return k.readBody(a, resp)
}

// readRedirect reads the body of a redirect if the provider of the link is known by it. It is for
// programs that do not follow redirects, so that a body that cannot be read is none.
func (k *click) readRedirect(a response, resp *http.Response) response {
	if p := k.shape.provider; !a.isRedirect() || p == nil || !p.provesBody {
		return a
	}
	full, err := k.readBody(a, resp)
	if err != nil {
		return a
	}
	return full
}

// readBody reads at most MaxBody bytes as UTF-8. It does not wait for the rest.
func (k *click) readBody(a response, resp *http.Response) (response, error) {
	kind, readable := textKind(resp.Header)
	if !readable {
		return a, nil
	}
	limit := cmp.Or(k.MaxBody, 256<<10)
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return response{}, err
	}
	a.whole = int64(len(raw)) <= limit
	a.body = decode(raw[:min(int64(len(raw)), limit)], resp.Header.Get("Content-Type"))
	a.isHTML, a.isJSON = strings.Contains(kind, "html"), strings.HasSuffix(kind, "json")
	return a, nil
}

// transport returns a transport for one request. It speaks HTTP/1.1, which every identity
// provider understands and which gives a hostile host fewer ways to keep a worker busy. Nothing
// is reused between requests. The standard library never retries a request on a new connection.
func (k *click) transport(plain bool) *http.Transport {
	wait := cmp.Or(k.HeaderTimeout, 5*time.Second)
	dialer := &net.Dialer{
		Timeout:  wait,
		Resolver: k.testOnly.resolver,
		Control:  newGuard(k.Rule, plain).control,
	}
	dial := dialer.DialContext
	if k.testOnly.dial != nil {
		dial = k.testOnly.dial
	}
	return &http.Transport{
		Proxy:                  nil, // the guard would see the address of a proxy only
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: k.testOnly.roots},
		TLSHandshakeTimeout:    wait,
		ResponseHeaderTimeout:  wait,
		MaxResponseHeaderBytes: maxResponseHeader,
		DisableCompression:     true, // a small response could unfold to a huge one
		DisableKeepAlives:      true,
	}
}

// newRequest builds the request and records when it may have reached the host. It never sets
// Referer: the address that led here is a secret.
func (k *click) newRequest(ctx context.Context, r request) (*http.Request, error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { k.result.Sent = true },
	})
	method, contentType, body := http.MethodGet, "", io.Reader(nil)
	switch {
	case r.form != nil:
		method, contentType = http.MethodPost, "application/x-www-form-urlencoded"
		body = strings.NewReader(r.form.Encode())
	case r.json != nil:
		method, contentType, body = http.MethodPost, "application/json", bytes.NewReader(r.json)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.to.String(), body)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, r.header)
	req.Header.Set("User-Agent", cmp.Or(k.UserAgent, defaultUserAgent))
	req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1")
	if r.api {
		req.Header.Set("Accept", "application/json")
	}
	// Providers choose the language of their pages by it, and we know most English sentences.
	req.Header.Set("Accept-Language", "en")
	if r.isPost() {
		req.Header.Set("Content-Type", contentType)
		// Frameworks check it against forged requests, as Django does before a Referer:
		// https://docs.djangoproject.com/en/stable/ref/csrf/
		origin := r.to // a form stays where it is
		if r.json != nil {
			origin = k.link
		}
		req.Header.Set("Origin", originOf(origin))
	}
	for _, c := range k.jars.of(r.to).Cookies(r.to) {
		req.AddCookie(c)
	}
	return req, nil
}

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// jars keeps the cookies of each origin apart, so that a cookie for a whole domain does not reach
// its other hosts.
type jars map[string]*cookiejar.Jar

func (j jars) of(u *url.URL) *cookiejar.Jar {
	origin := originOf(u)
	if j[origin] == nil {
		j[origin], _ = cookiejar.New(nil) // fails only with options
	}
	return j[origin]
}

// textKind returns the media type of a response and whether it is text that can be read. A response
// that is compressed unasked cannot.
func textKind(h http.Header) (kind string, readable bool) {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return "", false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return "", false
	}
	readable = strings.HasPrefix(kind, "text/") || kind == "application/xhtml+xml" ||
		kind == "application/json" ||
		strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
	return kind, readable
}

// decode returns a body as UTF-8, by its content type, its byte order mark or its own
// declaration. Most bodies are UTF-8 as they are.
func decode(raw []byte, contentType string) string {
	e, name, _ := charset.DetermineEncoding(raw, contentType)
	if name != "utf-8" || !utf8.Valid(raw) {
		decoded, err := e.NewDecoder().Bytes(raw)
		if err != nil {
			return strings.ToValidUTF8(string(raw), "\uFFFD")
		}
		raw = decoded
	}
	return strings.TrimPrefix(string(raw), "\ufeff") // readers of JSON refuse the mark
}
