package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// flowTime is how long one flow may take, among many others on a busy machine.
	flowTime = 5 * time.Minute
	// stallTime is how long the bridge may send no text while it still owes some.
	stallTime = 45 * time.Second
)

// post sends the mail of a number, and returns an error unless the bridge has it on disk.
func (s *stage) post(ctx context.Context, c *caller, n int) error {
	r := postForm("/mailgun/"+slug, s.fakes.mailbox.form(n, time.Now()))
	body, err := c.must(ctx, r, 200)
	if err == nil && !bytes.HasPrefix(body, []byte("recorded")) {
		err = fmt.Errorf("a mail was not recorded: %s", body)
	}
	return err
}

// accept measures accepts while the workers examine the mails and send their texts.
func (s *stage) accept(ctx context.Context) ([]sample, error) {
	result, t, err := s.load(ctx, s.work.name, s.windowed(), s.post)
	if err != nil {
		return nil, err
	}
	if s.Drain {
		if err := s.drained(ctx, t.all); err != nil {
			return nil, err
		}
		if err := s.leave(ctx, &result, t.all); err != nil {
			return nil, err
		}
	}
	return []sample{result}, nil
}

// drained waits until so many mails are texted, as long as it goes on.
func (s *stage) drained(ctx context.Context, mails int) error {
	texted, since := 0, time.Now()
	for {
		_, phones, _ := s.fakes.counted()
		if phones > texted {
			texted, since = phones, time.Now()
		}
		if phones >= mails || time.Since(since) > stallTime {
			return s.lost(mails)
		}
		if !pause(ctx, 5*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// heldTime is how long the providers can be held at most: the bridge gives up after ten seconds,
// and begins another job.
const heldTime = 6 * time.Second

// acceptHeld measures accepts while no job is done: first so many mails are sent that every worker
// waits for a provider. No text is sent meanwhile, as the table shows.
func (s *stage) acceptHeld(ctx context.Context) ([]sample, error) {
	const batch, most, patience = 64, 100, 250 * time.Millisecond
	s.fakes.hold()
	defer s.fakes.open()
	defer s.server.kill() // before it hears from the providers again
	c := newCaller(s.server.addr)
	defer c.close()
	for range most {
		before := s.fakes.held.Load()
		for range batch {
			if err := s.post(ctx, c, s.next(1)); err != nil {
				return nil, err
			}
		}
		if !pause(ctx, patience) {
			return nil, ctx.Err()
		}
		if held := s.fakes.held.Load(); held > 0 && held == before {
			l := s.windowed()
			l.window = min(l.window, heldTime)
			result, _, err := s.load(ctx, s.work.name, l, s.post)
			return []sample{result}, err
		}
	}
	return nil, errors.New("its workers never all wait for a provider")
}

// burst sends many mails at once, and measures how long the last text takes.
func (s *stage) burst(ctx context.Context) ([]sample, error) {
	l := load{callers: s.many, limit: s.Burst, window: flowTime}
	var last time.Time
	result, _, err := s.load(ctx, "burst: accepted", l, s.post)
	if err != nil {
		return nil, err
	}
	accepted := time.Now()
	if err := s.drained(ctx, s.Burst); err != nil {
		return nil, err
	}
	_, _, last = s.fakes.counted()
	drained := s.sampleOf(s.measurement)
	drained.Work = "burst: last text after the last accept"
	drained.set(valueP50, milliseconds(max(0, last.Sub(accepted))))
	return []sample{result, drained}, nil
}

// steps are the moments of one flow.
type steps struct{ accepted, texted, answered, clicked, told time.Time }

// flow goes from a mail to the text about the outcome.
func (s *stage) flow(ctx context.Context, c *caller, n int) (at steps, err error) {
	if err := s.post(ctx, c, n); err != nil {
		return at, err
	}
	at.accepted = time.Now()
	p, err := s.fakes.await(ctx, n, 1, false)
	if err != nil {
		return at, err
	}
	at.texted = p.texts[0].at
	form, signature := s.fakes.mailbox.reply(n, "YES", hookAt(c.addr))
	r := postForm("/twilio/"+slug+"/reply", form)
	r.header += "X-Twilio-Signature: " + signature + "\r\n"
	if _, err := c.must(ctx, r, 200); err != nil {
		return at, err
	}
	at.answered = time.Now()
	if p, err = s.fakes.await(ctx, n, 2, true); err != nil {
		return at, err
	}
	at.clicked, at.told = p.click, p.texts[1].at
	return at, nil
}

// oneFlow has a bridge finish one flow. Its number is the last one used.
func (b *bench) oneFlow(ctx context.Context, running *server) error {
	ctx, cancel := context.WithTimeout(ctx, stallTime)
	defer cancel()
	c := newCaller(running.addr)
	defer c.close()
	_, err := (&stage{bench: b, server: running}).flow(ctx, c, b.next(1))
	return err
}

// flows measures many flows at once, from the first mail to the last outcome. A flow may take
// longer than the window, so that a part of it would count without its cost.
func (s *stage) flows(ctx context.Context) ([]sample, error) {
	l := load{callers: s.many, whole: true, window: s.warm() + s.span()}
	result, t, err := s.load(ctx, s.work.name, l,
		func(ctx context.Context, c *caller, n int) error {
			ctx, cancel := context.WithTimeout(ctx, flowTime)
			defer cancel()
			_, err := s.flow(ctx, c, n)
			return err
		})
	if err == nil {
		err = s.lost(t.all)
	}
	if err == nil {
		err = s.leave(ctx, &result, t.all)
	}
	return []sample{result}, err
}

// steps measures one flow at a time, which begins at any moment of whatever the bridge does now and
// then.
func (s *stage) steps(ctx context.Context) ([]sample, error) {
	const least, most, idle = 8, 40, time.Second // the queue polls once a second
	var toText, toClick, toOutcome tally
	c := newCaller(s.server.addr)
	defer c.close()
	began := time.Now()
	for i := 0; i < most && (i < least || time.Since(began) < 3*s.span()); i++ {
		if !pause(ctx, idle/4+rand.N(idle)) {
			return nil, ctx.Err()
		}
		at, err := s.flow(ctx, c, s.next(1))
		if err != nil {
			return nil, err
		}
		toText.add(at.texted.Sub(at.accepted))
		toClick.add(at.clicked.Sub(at.answered))
		toOutcome.add(at.told.Sub(at.clicked))
	}
	var samples []sample
	for _, step := range []struct {
		name string
		t    tally
	}{
		{"latency: accept → Twilio called", toText}, {"latency: YES → click begins", toClick},
		{"latency: click → outcome text", toOutcome},
	} {
		result := s.sampleOf(s.measurement)
		result.Work = step.name
		result.set(valueP50, milliseconds(step.t.percentile(.5)))
		result.set(valueP99, milliseconds(step.t.percentile(.99)))
		samples = append(samples, result)
	}
	return samples, nil
}
