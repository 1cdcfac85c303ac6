package azuredurable_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/azuredurable"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

const phone = "+4520123456"

// world is a storetest.Bench with a tenant and what is done to instances.
type world struct {
	storetest.Bench
	tenant *tenant.Tenant
}

func withTenant(b storetest.Bench) world {
	b.Helper()
	settings, err := tenant.FromEnv([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.example.com", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_LANGUAGE_PINNED=true", "SMSBRIDGE_NAME=ACME",
		"SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_LINKS_WORK=DK",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_LIMIT_WAIT=0s", "SMSBRIDGE_LIMIT_PHONE_HOUR=0", "SMSBRIDGE_LIMIT_PHONE_DAY=0",
		"SMSBRIDGE_LIMIT_PREFIX_HOUR=0", "SMSBRIDGE_LIMIT_COUNTRY_HOUR=0",
		"SMSBRIDGE_LIMIT_ASKER_HOUR=0", "SMSBRIDGE_LIMIT_BREAKER=0", "SMSBRIDGE_DAILY_SEGMENTS=0",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example", "SMSBRIDGE_IDP_HOSTS=login.acme.example",
		"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210",
		"TWILIO_FROM=+15005550006",
	})
	require.NoError(b, err)
	acme := settings.Tenants.All()[0]
	// So that a model that guesses at will is never told to wait until tomorrow.
	acme.Codes.Wrong = 1_000_000
	return world{b, acme}
}

func each(t *testing.T, test func(t *testing.T, w world)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(b.T, withTenant(b)) })
}

func (w world) start(id, input string) (i azuredurable.Instance, err error) {
	err = w.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		i, err = azuredurable.Start(ctx, tx, w.tenant, id, json.RawMessage(input))
		return err
	})
	return i, err
}

func (w world) get(id string) (i azuredurable.Instance, err error) {
	err = w.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		i, err = azuredurable.Get(ctx, tx, "acme", id)
		return err
	})
	return i, err
}

// code is what was texted for an instance.
func (w world) code(t require.TestingT, id string) string {
	var secret verification.Secret
	require.NoError(t, w.Try(func(ctx context.Context, tx *store.Tx) error {
		v, err := verification.ByExternalID(ctx, tx, "acme", "durable", id)
		if err != nil {
			return err
		}
		secret, err = verification.Open(ctx, tx, "acme", v.ID)
		return err
	}))
	return secret.Code
}

// model is what an instance should be, worked out by the simplest means: its verification is judged
// as it goes.
type model struct {
	there, noPhone, terminated, suspended, refused bool
	// of the verification, "" while it is pending
	output   string
	wrong    int
	deadline time.Time
}

func (m model) status() azuredurable.Status {
	switch {
	case m.terminated:
		return azuredurable.Terminated
	case m.noPhone:
		return azuredurable.Failed
	case m.suspended:
		return azuredurable.Suspended
	case m.refused:
		return azuredurable.Failed
	case m.output != "":
		return azuredurable.Completed
	}
	return azuredurable.Running
}

// refusal is what a step that needs an unfinished instance returns.
func (m model) refusal() error {
	switch {
	case !m.there:
		return azuredurable.ErrUnknown
	case m.status().Finished():
		return azuredurable.ErrFinished
	}
	return nil
}

// Whatever is done to an instance, in whatever order, it stands as the model does, and no code
// shows anywhere.
//
//test:unwatched
func TestInstancesFollowTheModel(t *testing.T) {
	longtest.Skip(t)
	w := withTenant(storetest.OpenBench(t, storetest.SQLite(t)))
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		id, m, codes := fmt.Sprint("run", runs), model{}, []string(nil)
		started := func(noPhone bool) {
			m = model{there: true, noPhone: noPhone, deadline: w.Now().Add(90 * time.Second)}
			if !noPhone {
				codes = append(codes, w.code(t, id))
			}
		}
		type step = func(ctx context.Context, tx *store.Tx, tenant, id string) error
		steer := func(step step, then func()) {
			want := m.refusal()
			require.ErrorIs(
				t,
				w.Try(func(ctx context.Context, tx *store.Tx) error { return step(ctx, tx, "acme", id) }),
				want,
			)
			if want == nil {
				then()
			}
		}
		raise := func(code string, right bool) {
			steer(func(ctx context.Context, tx *store.Tx, tenant, id string) error {
				return azuredurable.Raise(ctx, tx, tenant, id, code)
			}, func() {
				switch {
				case m.output != "" || m.refused:
				case right:
					m.output = "true"
				default:
					if m.wrong++; m.wrong == 4 {
						m.output = "false"
					}
				}
			})
		}
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				noPhone := rapid.IntRange(0, 3).Draw(t, "empty") == 0
				_, err := w.start(id, map[bool]string{true: "null", false: `"` + phone + `"`}[noPhone])
				if m.there && !m.status().Finished() {
					require.ErrorIs(t, err, azuredurable.ErrRunning)
					return
				}
				require.NoError(t, err)
				started(noPhone)
			},
			"restart": func(t *rapid.T) {
				err := w.Try(func(ctx context.Context, tx *store.Tx) error {
					_, err := azuredurable.Restart(ctx, tx, w.tenant, id)
					return err
				})
				switch {
				case !m.there:
					require.ErrorIs(t, err, azuredurable.ErrUnknown)
				case !m.status().Finished():
					require.ErrorIs(t, err, azuredurable.ErrRunning)
				default:
					require.NoError(t, err)
					started(m.noPhone)
				}
			},
			"right": func(t *rapid.T) {
				code := "0000"
				if len(codes) > 0 {
					code = codes[len(codes)-1]
				}
				raise(code, true)
			},
			"wrong": func(t *rapid.T) { raise("99999", false) },
			"terminate": func(t *rapid.T) {
				steer(func(ctx context.Context, tx *store.Tx, tenant, id string) error {
					return azuredurable.Terminate(ctx, tx, tenant, id, "why")
				}, func() { m.terminated = true })
			},
			"suspend": func(t *rapid.T) { steer(azuredurable.Suspend, func() { m.suspended = true }) },
			"resume":  func(t *rapid.T) { steer(azuredurable.Resume, func() { m.suspended = false }) },
			"rewind": func(t *rapid.T) {
				err := w.Try(
					func(ctx context.Context, tx *store.Tx) error {
						return azuredurable.Rewind(ctx, tx, w.tenant, id)
					},
				)
				switch {
				case !m.there:
					require.ErrorIs(t, err, azuredurable.ErrUnknown)
				case !m.status().Finished():
					require.ErrorIs(t, err, azuredurable.ErrRunning)
				case m.status() != azuredurable.Failed:
					require.ErrorIs(t, err, azuredurable.ErrFinished)
				default:
					require.NoError(t, err)
					if !m.noPhone {
						started(false)
					}
				}
			},
			"refuse": func(t *rapid.T) { // the text, by every provider
				if codes != nil {
					w.refuse(id)
				}
				m.refused = m.refused || m.there && !m.noPhone && !m.terminated && m.output == ""
			},
			"purge": func(t *rapid.T) {
				err := w.Try(
					func(ctx context.Context, tx *store.Tx) error {
						return azuredurable.Purge(ctx, tx, "acme", id)
					},
				)
				switch {
				case !m.there:
					require.ErrorIs(t, err, azuredurable.ErrUnknown)
				case !m.status().Finished():
					require.ErrorIs(t, err, azuredurable.ErrRunning)
				default:
					require.NoError(t, err)
					m = model{}
				}
			},
			"pass": func(t *rapid.T) {
				w.Pass(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second)
				if m.there && m.output == "" && !m.refused && !w.Now().Before(m.deadline) {
					m.output = "false"
				}
			},
			"": func(t *rapid.T) { w.stands(t, id, m, codes) },
		})
	})
}

// stands shows that an instance is as the model says, and that its history has no code.
func (w world) stands(t *rapid.T, id string, m model, codes []string) {
	i, err := w.get(id)
	if !m.there {
		require.ErrorIs(t, err, azuredurable.ErrUnknown)
		return
	}
	require.NoError(t, err)
	require.Equal(t, m.status(), i.Status)
	switch i.Status {
	case azuredurable.Completed:
		require.Equal(t, m.output, string(i.Output))
	case azuredurable.Running, azuredurable.Suspended:
		require.Equal(t, "null", string(i.Output))
	}
	require.NoError(t, w.Try(func(ctx context.Context, tx *store.Tx) error {
		steps, err := azuredurable.History(ctx, tx, i)
		require.NotEmpty(t, steps)
		for n := range steps {
			steps[n].Timestamp, steps[n].Input = time.Time{}, nil
			steps[n].FireAt, steps[n].ScheduledTime = nil, nil
		}
		shown, _ := json.Marshal(steps)
		for _, code := range codes {
			require.NotContains(t, strings.ReplaceAll(string(shown), "0001-01-01T00:00:00Z", ""), code)
		}
		return err
	}))
}

// refuse has every provider refuse the text of an instance for good.
func (w world) refuse(id string) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		v, err := verification.ByExternalID(ctx, tx, "acme", "durable", id)
		if err != nil {
			return err
		}
		last, err := tx.LastTextOfVerification(ctx, v.ID)
		if err == nil {
			err = text.Refuse(ctx, tx, last.ID, "21211")
		}
		if err == nil {
			err = verification.Fail(ctx, tx, v.ID, verification.NumberUnreachable)
		}
		return err
	})
}

// An instance whose text is refused has failed at once, with the reason in its output. Its history
// keeps that when it is rewound, and of two that rewind it at once one starts a verification.
func TestRefusedInstance(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		for n := range 10 {
			id := fmt.Sprint("refused", n)
			_, err := w.start(id, `"`+phone+`"`)
			require.NoError(t, err)
			w.refuse(id)
			i, err := w.get(id)
			require.NoError(t, err)
			require.Equal(t, azuredurable.Failed, i.Status)
			require.JSONEq(t, `"The activity function 'E4_SendSmsChallenge' failed: `+
				`the text was refused (number_unreachable)."`, string(i.Output))
			ended := []string{"ExecutionCompleted Failed"}
			require.Equal(t, ended, w.ends(i))

			rewind := func(ctx context.Context, tx *store.Tx) error {
				return azuredurable.Rewind(ctx, tx, w.tenant, id)
			}
			done := 0
			for _, err := range w.AtOnce(rewind, rewind, rewind) {
				if err == nil {
					done++
				} else {
					require.ErrorIs(t, err, azuredurable.ErrRunning)
				}
			}
			require.Positive(t, done)
			require.Equal(t, 2, w.Count("verification WHERE external_id = $1", id))
			i, err = w.get(id)
			require.NoError(t, err)
			require.Equal(t, azuredurable.Running, i.Status)
			require.Equal(t, ended, w.ends(i), "it did fail once")
			right := w.code(t, id)
			w.Do(func(ctx context.Context, tx *store.Tx) error {
				return azuredurable.Raise(ctx, tx, "acme", id, right)
			})
			i, err = w.get(id)
			require.NoError(t, err)
			require.Equal(t, azuredurable.Completed, i.Status)
			require.Equal(t, append(ended, "ExecutionCompleted Completed"), w.ends(i))
		}
	})
}

// ends are the steps of an instance's history that end it.
func (w world) ends(i azuredurable.Instance) (all []string) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		steps, err := azuredurable.History(ctx, tx, i)
		for _, s := range steps {
			if s.OrchestrationStatus != "" {
				all = append(all, s.EventType+" "+string(s.OrchestrationStatus))
			}
		}
		return err
	})
	return all
}

// What is not a phone number of the tenant's countries starts nothing.
func TestParseInput(t *testing.T) {
	w := withTenant(storetest.OpenBench(t, storetest.SQLite(t)))
	for input, want := range map[string]string{
		`"` + phone + `"`: phone, `"\"` + phone + `\""`: phone, ` "` + phone + `" `: phone, "null": "",
		`""`: "", `"\"\""`: "", `"null"`: "",
	} {
		number, err := azuredurable.ParseInput(w.tenant, json.RawMessage(input), time.Time{})
		require.NoError(t, err, input)
		require.Equal(t, want, number.E164(), input)
	}
	for _, input := range []string{
		"", "1", "{}", "[]", "true", `"4520123456"`, `"+1 2065550100"`, `"+12065550100"`,
		`"\"\"+4520123456\"\""`, `"\"`,
	} {
		_, err := azuredurable.ParseInput(w.tenant, json.RawMessage(input), time.Time{})
		require.ErrorIs(t, err, azuredurable.ErrInput, input)
		_, err = w.start("x", input)
		require.ErrorIs(t, err, azuredurable.ErrInput, input)
	}
	_, err := w.get("x")
	require.ErrorIs(t, err, azuredurable.ErrUnknown)
}

func FuzzParseInput(f *testing.F) {
	for _, input := range []string{
		`"` + phone + `"`, `"\"` + phone + `\""`, "null", `"\"`, `"\ud800"`,
	} {
		f.Add(input)
	}
	t := &tenant.Tenant{}
	t.Policy.Countries = []string{"*"}
	f.Fuzz(func(test *testing.T, input string) {
		number, err := azuredurable.ParseInput(t, json.RawMessage(input), time.Time{})
		require.True(test, err == nil || errors.Is(err, azuredurable.ErrInput))
		require.True(
			test,
			number.E164() == "" || strings.Contains(input, number.E164()[1:]) ||
				strings.Contains(input, `\u`),
		)
	})
}

// Two of any steps at once: one of them wins, and the instance and its verification tell the same.
func TestStepsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		steps := map[string]func(ctx context.Context, tx *store.Tx, id string) error{
			"raise": func(ctx context.Context, tx *store.Tx, id string) error {
				return azuredurable.Raise(ctx, tx, "acme", id, "99999")
			},
			"terminate": func(ctx context.Context, tx *store.Tx, id string) error {
				return azuredurable.Terminate(ctx, tx, "acme", id, "")
			},
			"suspend": func(ctx context.Context, tx *store.Tx, id string) error {
				return azuredurable.Suspend(ctx, tx, "acme", id)
			},
			"resume": func(ctx context.Context, tx *store.Tx, id string) error {
				return azuredurable.Resume(ctx, tx, "acme", id)
			},
		}
		for a := range steps {
			for b := range steps {
				id := a + "-" + b
				_, err := w.start(id, `"`+phone+`"`)
				require.NoError(t, err)
				errs := w.AtOnce(
					func(ctx context.Context, tx *store.Tx) error { return steps[a](ctx, tx, id) },
					func(ctx context.Context, tx *store.Tx) error { return steps[b](ctx, tx, id) },
				)
				i, err := w.get(id)
				require.NoError(t, err)
				ends := slices.Contains([]string{a, b}, "terminate")
				require.Equal(t, ends, i.Status == azuredurable.Terminated, id)
				for _, err := range errs {
					require.True(
						t,
						err == nil || ends && errors.Is(err, azuredurable.ErrFinished),
						"%s: %v",
						id,
						err,
					)
				}
				require.True(t, errs[0] == nil || errs[1] == nil)
				if a == "terminate" && b == a {
					require.True(t, errs[0] != nil || errs[1] != nil, "it ends once")
				}
			}
		}
	})
}
