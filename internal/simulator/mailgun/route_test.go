package mailgun

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExpression(t *testing.T) {
	mail := &parsedMail{headers: []headerField{{name: "Subject", value: "Verify your account"},
		{name: "X-Kind", value: "a"}, {name: "X-Kind", value: "b7"}}}
	for _, test := range []struct {
		expression string
		routed     bool
		want       string // \1,\2 and \g<n> as filled in; "no" for no match
	}{
		{`match_recipient("^acme\+([0-9]+)@sms\.acme\.example$")`, false, "4520123456,,"},
		{`match_recipient('acme\+(?P<n>45)(.*)@')`, false, "45,20123456,45"},
		{`match_recipient("20123456")`, false, "no"},
		{`match_recipient(".*20123456")`, false, ",,"},
		{`match_recipient("ACME.*")`, false, "no"},
		{`match_header("subject", "Verify (.*)")`, false, "your account,,"},
		{`match_header("x-kind", "b(.)")`, false, "7,,"},
		{`match_header("X-Other", ".*")`, false, "no"},
		{`match_header("subject", "Verify") and match_recipient("acme\+(.*)@")`, false, "4520123456,,"},
		{`match_header("subject", "Reset") and match_recipient("acme")`, false, "no"},
		{`match_header("subject", "Reset") or match_recipient("acme\+(..)")`, false, "45,,"},
		{`match_recipient("(acme)") and match_recipient("x") or match_recipient("acme\+(..)")`, false,
			"45,,"},
		{`match_recipient("x") and catch_all() or match_recipient("acme")`, false, ",,"},
		{`match_recipient("x") and (catch_all() or match_recipient("acme"))`, false, "no"},
		{`catch_all()`, false, ",,"},
		{`catch_all()`, true, "no"},
		{`match_recipient('ac\'?me\+(..)')`, false, "45,,"},
	} {
		condition, err := parseExpression(test.expression)
		require.NoError(t, err, test.expression)
		got := "no"
		if ok, captures := condition.match(testPhone, mail, test.routed); ok {
			got = captures.fill(`\1,\2,\g<n>`)
		}
		require.Equal(t, test.want, got, test.expression)
	}
}

func TestAddRouteRefuses(t *testing.T) {
	m := openTest(t, Config{})
	for _, expression := range []string{
		``, `match_recipient`, `match_recipient(`, `match_recipient("a"`, `match_recipient("a`,
		`match_recipient(a)`, `match_recipient()`,
		`match_recipient("(")`, `match_recipient("a") and`, `match_recipient("a") catch_all()`,
		`(catch_all()`, `catch_all("x")`, `nothing()`,
		`match_header("a")`, `match_recipient("a" "b")`, `match_recipient("` + strings.Repeat("a", 4096) +
			`")`,
	} {
		require.Error(t, m.AddRoute(Route{Expression: expression, Actions: []string{"stop()"}}),
			expression)
	}
	for _, action := range []string{
		``, `stop`, `stop("x")`, `forward()`, `forward("")`, `forward("ftp://a.example")`,
		`forward("http://")`, `store("http://a.example")`,
		`store(notify="a@b.example")`, `forward("http://\1.example/x")`, `forward("https://\g<n>/x")`,
		`delete()`, `stop() stop()`,
	} {
		require.Error(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{action}}), action)
	}
	require.Error(t, m.AddRoute(Route{Expression: "catch_all()"}))
	require.NoError(t, m.AddRoute(Route{Expression: "catch_all()",
		Actions: []string{`forward("http://a.example/\1")`}}))
}

// Which routes run, in which order, and what fills their URLs.
func TestRouting(t *testing.T) {
	receiver := newReceiver(t, 200)
	to := func(path string) string { return `forward("` + receiver.URL + path + `")` }
	acme, other := testPhone, "other+4520123456@sms.acme.example"
	for _, test := range []struct {
		name   string
		routes []Route
		to     []string
		comma  bool
		want   []string // path recipient, in any order
	}{
		{
			"all matching routes run",
			[]Route{{Expression: `match_recipient("acme")`, Actions: []string{to("/a")}},
				{Expression: `match_recipient(".*")`, Actions: []string{to("/b")}}},
			[]string{acme}, false, []string{"/a " + acme, "/b " + acme},
		},
		{
			"stop ends the search, by priority",
			[]Route{{Priority: 5, Expression: `match_recipient(".*")`, Actions: []string{to("/late")}},
				{Priority: 1, Expression: `match_recipient("acme")`, Actions: []string{"stop()",
					to("/early")}}},
			[]string{acme, other}, false, []string{"/early " + acme, "/late " + other},
		},
		{
			"catch_all takes what is left",
			[]Route{{Expression: `match_recipient("acme")`, Actions: []string{to("/a")}}, {Priority: 1,
				Expression: `catch_all()`, Actions: []string{to("/rest")}}},
			[]string{acme, other}, false, []string{"/a " + acme, "/rest " + other},
		},
		{
			"captures fill the path",
			[]Route{{Expression: `match_recipient("(?P<tenant>[a-z]+)\+([0-9]+)@")`,
				Actions: []string{to(`/\g<tenant>/\2`)}}},
			[]string{acme, other}, true, []string{"/acme/4520123456 " + acme, "/other/4520123456 " + other},
		},
		{
			"recipients joined by comma",
			[]Route{{Expression: `match_recipient(".*")`, Actions: []string{to("/a"), "store()"}}},
			[]string{acme, other}, true, []string{"/a " + acme + "," + other},
		},
		{
			"several destinations of one action",
			[]Route{{Expression: `catch_all()`, Actions: []string{`forward("` + receiver.URL + `/a, ` +
				receiver.URL + `/b")`}}},
			[]string{acme}, false, []string{"/a " + acme, "/b " + acme},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := openTest(t, Config{})
			m.Set(func(manners *Manners) { manners.CommaRecipients = test.comma })
			for _, route := range test.routes {
				require.NoError(t, m.AddRoute(route))
			}
			before := len(receiver.all())
			var got []string
			for _, post := range deliverTo(t, m, receiver, testMail(), test.to...)[before:] {
				got = append(got, post.path+" "+post.form.Get("recipient"))
			}
			require.ElementsMatch(t, test.want, got)
		})
	}
}

// The joined recipients are one stored mail, separate ones are two; each domain keeps its own.
func TestStoresPerRecipient(t *testing.T) {
	for comma, want := range map[bool][][]string{
		false: {{"a@one.example"}, {"b@one.example"}, {"c@TWO.example"}},
		true:  {{"a@one.example", "b@one.example"}, {"c@TWO.example"}},
	} {
		m := openTest(t, Config{AnyDomain: true})
		m.Set(func(manners *Manners) { manners.CommaRecipients = comma })
		require.NoError(t, m.AddRoute(Route{Expression: "catch_all()", Actions: []string{"store()"}}))
		require.NoError(t, m.Deliver(testContext(t), "", []string{"a@one.example", "b@one.example",
			"c@TWO.example"}, testMail()))
		var got [][]string
		for _, stored := range m.Stored() {
			got = append(got, stored.Recipients)
		}
		require.Equal(t, want, got)
		require.Equal(t, "two.example", m.Stored()[len(want)-1].Domain)
	}
}
