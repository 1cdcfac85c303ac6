package operator

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/cases"
	"smsbridge/internal/operator"
	"smsbridge/internal/store"
)

//go:embed page
var pageFiles embed.FS

// page is what every page shows.
type page struct {
	Title   string
	Current string  // of the menu
	Who     visitor // no name for a stranger
	Token   string  // of each form
	Notice  string  // what was done
	Tenants []string
	Now     time.Time
	Data    any
}

// templates are the pages by name, each inside of the layout. They are parsed when a page is asked
// for first: most starts of the program show none.
var templates = sync.OnceValue(func() map[string]*template.Template {
	return parse("login", "refusal", "cases", "case", "person", "limits", "jobs", "optouts",
		"texts", "about", "audit",
		"funnel", "callbacks", "callback", "nodes", "trymail", "trytext", "rehearse")
})

func parse(names ...string) map[string]*template.Template {
	words := template.FuncMap{"utc": utc, "age": age, "stamp": stamp,
		"due": due, "share": cases.Share}
	layout := template.Must(template.New("layout.html").Funcs(words).ParseFS(pageFiles,
		"page/layout.html"))
	all := map[string]*template.Template{}
	for _, name := range names {
		all[name] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles,
			"page/"+name+".html"))
	}
	return all
}

// utc is a time as the pages show it.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// stamp is a time as browsers read it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// age is how long ago a time is, or how far ahead.
func age(now, t time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		return "in " + span(-d)
	}
	return span(d)
}

// due is when something comes that waits for its turn.
func due(now, t time.Time) string {
	if !t.After(now) {
		return "now"
	}
	return age(now, t)
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// show renders a page of an operator.
func (d *Door) show(c echo.Context, v visitor, name string, p page) error {
	p.Who, p.Token = v, v.Token
	p.Notice = notices()[c.QueryParam("done")]
	return d.render(c, http.StatusOK, name, p)
}

func (d *Door) render(c echo.Context, status int, name string, p page) error {
	for _, t := range d.Settings.Tenants.All() {
		if p.Who.Name != "" {
			p.Tenants = append(p.Tenants, t.Slug)
		}
	}
	if p.Now.IsZero() {
		p.Now = d.Now()
	}
	var out bytes.Buffer
	if err := templates()[name].ExecuteTemplate(&out, "layout", p); err != nil {
		return err
	}
	return c.HTMLBlob(status, out.Bytes())
}

// refusal is what the page of a refusal says.
type refusal struct{ What, Then string }

// refuse shows a page that says why nothing was done, to an operator if it is one.
func (d *Door) refuse(c echo.Context, status int, what, then string, v *visitor) error {
	p := page{Title: "Not done", Data: refusal{what, then}}
	if v != nil {
		p.Who, p.Token = *v, v.Token
	}
	d.Log.Warn("operator", "method", c.Request().Method, "path", c.Path(), "status", status,
		"operator", p.Who.Name, "reason", what)
	return d.render(c, status, "refusal", p)
}

// fail shows that the bridge could not do it.
func (d *Door) fail(c echo.Context, err error) error {
	d.Log.Error("operator", "method", c.Request().Method, "path", c.Path(), "error", err)
	c.Response().Header().Set("Retry-After", "5")
	return d.render(c, http.StatusServiceUnavailable, "refusal", page{
		Title: "Not done", Data: refusal{"The bridge cannot do that now.", "Please try again."},
	})
}

// perform does something in a transaction that also records who did it, and logs it.
func (d *Door) perform(
	c echo.Context, v visitor,
	do func(ctx context.Context, tx *store.Tx) (operator.Act, error),
) error {
	done, err := web.Commit(c.Request().Context(), d.Store,
		func(ctx context.Context, tx *store.Tx) (operator.Act, error) {
			a, err := do(ctx, tx)
			a.Operator = v.Name
			if err == nil {
				err = operator.Record(ctx, tx, a)
			}
			return a, err
		})
	if err == nil {
		d.Log.Info("operator", "operator", v.Name, "act", done.Act, "subject", done.Subject,
			"detail", done.Detail)
	}
	return err
}

// wrong is what an operator wrote that cannot be, with what to do.
type wrong struct{ what, then string }

func (w wrong) Error() string { return w.what }

// act is a button of a page: it does something, and shows the page again.
func (d *Door) act(
	back string, do func(ctx context.Context, tx *store.Tx, f form) (operator.Act, error),
) echo.HandlerFunc {
	return d.pageOf(func(c echo.Context, v visitor) error {
		f, done, err := d.formOf(c, v, false)
		if done {
			return err
		}
		did := ""
		err = d.perform(c, v, func(ctx context.Context, tx *store.Tx) (operator.Act, error) {
			a, err := do(ctx, tx, f)
			did = a.Act
			return a, err
		})
		if err != nil {
			return d.failAct(c, v, err)
		}
		return c.Redirect(http.StatusSeeOther, back+"?done="+did)
	})
}

// failAct shows why an act was not done: the operator wrote what cannot be, or the bridge failed.
func (d *Door) failAct(c echo.Context, v visitor, err error) error {
	var w wrong
	if errors.As(err, &w) {
		return d.refuse(c, http.StatusUnprocessableEntity, w.what, w.then, &v)
	}
	return d.fail(c, err)
}

// notices says what was done, by the name of the act.
func notices() map[string]string {
	return map[string]string{
		"hold":            "It is held: no question, code or relayed mail is texted from now on.",
		"release":         "It is released.",
		"callback.replay": "It is due now; a worker takes it up within seconds.",
		"job.retry":       "The job is due now; a worker takes it up within a second.",
		"job.drop":        "The job is dropped as soon as a worker takes that up, within a second.",
		"optout.add":      "It is recorded: that phone is not texted any more.",
		"optout.remove":   "The opt-out is ended.",
		"optout.import":   "The opt-outs are imported.",
		"rehearse": "The mail is posted, and its question comes to your phone. Answer it: this page " +
			"follows what happens.",
		"text.try": "The text is made. Below is what becomes of it.",
	}
}
