package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"

	"smsbridge/linkclick"
)

// codeWords finds the code in a text.
var codeWords = regexp.MustCompile(`[0-9]{4,10}`)

// codeDoor is a door at which codes are created and checked.
type codeDoor struct {
	name string
	// create returns the id by which the code is checked.
	create func(ctx context.Context, c *caller, n int) (id string, err error)
	check  func(ctx context.Context, c *caller, id, code string) error
	// shown asks whether a code was approved, where the response to check does not say so.
	shown func(ctx context.Context, c *caller, id string) error
}

// codeDoors are the doors of apps.
func (s *stage) codeDoors() []codeDoor {
	k := s.secrets
	const durable = "/runtime/webhooks/durabletask/instances/"
	return []codeDoor{
		{"code /v1", func(ctx context.Context, c *caller, n int) (string, error) {
			r := postJSON("/v1/verifications", k.app, `{"phone":"`+phoneOf(n)+`"}`)
			return c.id(ctx, r, 201, "id")
		}, func(ctx context.Context, c *caller, id, code string) error {
			r := postJSON("/v1/verifications/"+id+"/check", k.app, `{"code":"`+code+`"}`)
			return c.approved(ctx, r, 200, `"approved"`)
		}, nil},
		{"code Flowroute", func(ctx context.Context, c *caller, n int) (string, error) {
			c = c.at(s.server.door)
			body := fmt.Sprintf(`{"auth_id":"bench-%d","recipient":"%s"}`, n, phoneOf(n))
			return c.id(ctx, postJSON("/", k.flowroute, body), 200, "auth_id")
		}, func(ctx context.Context, c *caller, id, code string) error {
			r := get("/?auth_id=" + id + "&code=" + code)
			r.header = "Authorization: Bearer " + k.flowroute + "\r\n"
			return c.at(s.server.door).approved(ctx, r, 200, `"authenticated":true`)
		}, nil},
		{"code Durable", func(ctx context.Context, c *caller, n int) (string, error) {
			r := postJSON("/orchestrators/E4_SmsPhoneVerification?code="+k.durable, "",
				`"`+phoneOf(n)+`"`)
			return c.id(ctx, r, 202, "id")
		}, func(ctx context.Context, c *caller, id, code string) error {
			r := postJSON(durable+id+"/raiseEvent/SmsChallengeResponse?code="+k.durable, "",
				`"`+code+`"`)
			return c.approved(ctx, r, 202, "")
		}, func(ctx context.Context, c *caller, id string) error {
			return c.approved(ctx, get(durable+id+"?code="+k.durable), 200, `"output":true`)
		}},
	}
}

// at is the caller, at another address.
func (c *caller) at(addr string) *caller {
	if c.addr != addr {
		c.close()
		c.addr = addr
	}
	return c
}

// id sends a request and returns one member of the response.
func (c *caller) id(ctx context.Context, r request, want int, member string) (string, error) {
	body, err := c.must(ctx, r, want)
	if err != nil {
		return "", err
	}
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return "", err
	}
	id, ok := fields[member].(string)
	if !ok {
		return "", fmt.Errorf("%s was answered without %s", r.path, member)
	}
	return id, nil
}

// approved sends a request, whose response must have some words.
func (c *caller) approved(ctx context.Context, r request, want int, words string) error {
	body, err := c.must(ctx, r, want)
	if err == nil && !strings.Contains(string(body), words) {
		err = errors.New("a right code was not approved")
	}
	return err
}

// codes measures every door: codes that are created and texted, and then checked.
func (s *stage) codes(ctx context.Context) (samples []sample, err error) {
	for _, door := range s.codeDoors() {
		var mu sync.Mutex
		ids := map[int]string{}
		first := s.used
		created, t, err := s.load(ctx, door.name+": create", s.windowed(),
			func(ctx context.Context, c *caller, n int) error {
				id, err := door.create(ctx, c, n)
				mu.Lock()
				defer mu.Unlock()
				ids[n] = id
				return err
			})
		if err != nil {
			return nil, err
		}
		codes, err := s.received(ctx, first, t.all)
		if err != nil {
			return nil, err
		}
		settle(ctx, s.server.pid())
		l := load{callers: s.many, limit: t.all, window: s.span()}
		second := s.used
		checked, _, err := s.load(ctx, door.name+": check", l,
			func(ctx context.Context, c *caller, n int) error {
				n -= second
				return door.check(ctx, c, ids[first+n], codes[n])
			})
		if err != nil {
			return nil, err
		}
		if door.shown != nil {
			c := newCaller(s.server.addr)
			defer c.close()
			if err := door.shown(ctx, c, ids[first]); err != nil {
				return nil, err
			}
		}
		samples = append(samples, created, checked)
	}
	return samples, nil
}

// oneCode has a bridge text a code to the phone of a flow that it has finished, and check it.
func (b *bench) oneCode(ctx context.Context, running *server, n int) error {
	ctx, cancel := context.WithTimeout(ctx, stallTime)
	defer cancel()
	c := newCaller(running.addr)
	defer c.close()
	door := (&stage{bench: b, server: running}).codeDoors()[0]
	id, err := door.create(ctx, c, n)
	if err != nil {
		return err
	}
	const before = 2 // texts of the flow
	p, err := b.fakes.await(ctx, n, before+1, false)
	if err != nil {
		return err
	}
	return door.check(ctx, c, id, codeWords.FindString(p.texts[before].body))
}

// received waits until so many phones have their code, and returns the codes.
func (s *stage) received(ctx context.Context, first, many int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, flowTime)
	defer cancel()
	codes := make([]string, many)
	for i := range codes {
		p, err := s.fakes.await(ctx, first+i, 1, false)
		if err != nil {
			return nil, err
		}
		if codes[i] = codeWords.FindString(p.texts[0].body); codes[i] == "" {
			return nil, errors.New("a text has no code")
		}
	}
	return codes, nil
}

// loopbacks are the networks in which the identity provider is.
func loopbacks() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// examine measures how the one link of a mail is found, with the code of this very program. Its
// number is the size of the raw mail in kB.
func examine(ctx context.Context, b *bench, m measurement) ([]sample, error) {
	raw, err := b.fakes.mailbox.raw(0, time.Now())
	if err != nil {
		return nil, err
	}
	words := strings.Repeat("Welcome to ACME, we are glad. ", 20)
	filler := "<p>" + words + "<b>See you.</b></p>\r\n"
	missing := max(0, m.many<<10-len(raw)) / len(filler)
	raw = strings.Replace(raw, "</table>", "</table>"+strings.Repeat(filler, missing), 1)
	host := strings.TrimPrefix(b.fakes.server.URL(), "http://")
	rule := linkclick.Rule{Hosts: []string{host}, UnsafeAllow: loopbacks()}
	var t tally
	began := time.Now()
	for time.Since(began) < b.span() && ctx.Err() == nil {
		start := time.Now()
		mail, err := linkclick.ReadMIME(strings.NewReader(raw))
		if err != nil {
			return nil, err
		}
		if found := linkclick.Find(mail, rule); found.URL == "" {
			return nil, fmt.Errorf("the link is not found: %s", found.Why())
		}
		t.add(time.Since(start))
	}
	t.window = time.Since(began)
	result := b.sampleOf(m)
	result.tally(t)
	return []sample{result}, nil
}
