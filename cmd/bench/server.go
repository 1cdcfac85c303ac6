package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// candidate is a server program that is measured.
type candidate struct {
	name, path string
	// senders says that its settings name how senders are verified. Builds without that refuse the
	// keys as unknown.
	senders bool
	limits  bool // its settings bound how many texts there are
}

// openBinary asks a program what it knows.
func openBinary(ctx context.Context, name, path string) (candidate, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	said, err := exec.CommandContext(ctx, path, "serve", "--help").CombinedOutput()
	if err != nil || !strings.Contains(string(said), "SMSBRIDGE_MAIL_DOMAIN") {
		return candidate{}, mistake{path + " is no smsbridge: it does not understand serve --help",
			"build it: go build -o PATH ./cmd/smsbridge"}
	}
	return candidate{
		name, path, strings.Contains(string(said), "SMSBRIDGE_SENDER_DOMAINS"),
		strings.Contains(string(said), "SMSBRIDGE_DAILY_SEGMENTS"),
	}, nil
}

// server is a running bridge.
type server struct {
	*child
	addr, door string // of the hall, and of the Flowroute door
	took       time.Duration
}

// hookAt is the URL of a bridge for replies, which Twilio signs.
func hookAt(addr string) string { return "http://" + addr + "/twilio/" + slug + "/reply" }

// startServer starts a bridge on a database, and waits until it is ready.
func (b *bench) startServer(ctx context.Context, program candidate, url string) (*server, error) {
	addr, door, err := freeAddrs()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "smsbridge.yaml")
	text := b.settings(program, addr, door, url)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	command := exec.Command(program.path, "serve", "--config", file)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "SMSBRIDGE_") {
			command.Env = append(command.Env, variable)
		}
	}
	began := time.Now()
	c, err := startChild(ctx, command)
	if err != nil {
		return nil, err
	}
	s := &server{c, addr, door, 0}
	if err := s.ready(ctx); err != nil {
		s.kill()
		return nil, err
	}
	s.took = time.Since(began)
	return s, nil
}

// settings are those of one tenant, whose providers are on this machine. The rate of the API is the
// highest that there is: what is measured is the bridge and not its limit.
func (b *bench) settings(program candidate, addr, door, database string) string {
	s, base := b.secrets, b.fakes.server.URL()
	host := strings.TrimPrefix(base, "http://")
	top := []string{"public_url: http://" + addr, "addr: " + addr, "database: '" + database + "'",
		"key_file: " + b.keyFile}
	tenant := []string{"slug: " + slug, "name: ACME", "countries: [DK]", "mail_domain: " + mailDomain,
		"idp_hosts: ['" + host + "']", "unsafe_allow: [127.0.0.0/8]", "api_keys:", "  app: file:" +
			b.secretFile("app"), "api_rate: 1000000", "code_gap: 1m",
		"mailgun:", "  api_key: file:" + b.secretFile("mailgun"), "  signing_key: file:" +
			b.secretFile("signing"), "  api_base: " + base, "  storage_hosts: ['" + host + "']",
		"twilio:", "  account_sid: " + s.account, "  auth_token: file:" + b.secretFile("token"),
		"  from: '" + ourNumber + "'", "  api_base: " + base,
		"flowroute_door:", "  addr: " + door, "  key: file:" + b.secretFile("flowroute"),
		"durable_door:", "  code: file:" + b.secretFile("durable"),
	}
	if program.senders {
		top = append(top, "drain: 0s", "dns: "+b.fakes.dns.Addr().String())
		tenant = append(tenant, "sender:", "  verify: "+b.options.Sender, "  domains: ["+idpDomain+"]")
	}
	if program.limits {
		top = append(top, "daily_segments: 0")
		tenant = append(tenant, "limits:", "  wait: 0s", "  phone_hour: 0", "  phone_day: 0",
			"  prefix_hour: 0", "  country_hour: 0", "  asker_hour: 0", "  breaker: 0")
	}
	return strings.Join(top, "\n") + "\ntenants:\n  - " + strings.Join(tenant, "\n    ") + "\n"
}

// ready waits until the bridge says that it is.
func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		c := newCaller(s.addr)
		status, _, err := c.do(ctx, get("/readyz"))
		c.close()
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server did not start: %s", s.said)
		case <-ctx.Done():
			return errors.Join(errors.New("the server was not ready in time"), ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

// freeAddrs are two loopback addresses with free ports. The ports are below those that the system
// gives to programs that ask for any: the load itself opens connections from there meanwhile.
func freeAddrs() (addr, door string, err error) {
	const first, most = 31_000, 1_700
	var free []string
	for i := range most {
		candidate := fmt.Sprintf("127.0.0.1:%d", first+(os.Getpid()+i)%most)
		l, err := net.Listen("tcp", candidate)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return "", "", err
		}
		if free = append(free, candidate); len(free) == 2 {
			return free[0], free[1], nil
		}
	}
	return "", "", fmt.Errorf("no two ports of %d to %d are free", first, first+most-1)
}
