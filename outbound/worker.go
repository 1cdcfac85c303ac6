// Package outbound is everything that leaves. It sends texts through Twilio and the other
// providers, and tells Twilio Verify how codes ended. It clicks links through linkclick, and
// fetches and deletes mails at Mailgun.
//
// A worker takes one job that a rule made due, does the one effect it stands for, and tells the
// rule what came of it. The table in this file has one row for each kind of job, and the runner
// does them all in one way. Three kinds begin in the transaction that makes them due, and need no
// row of the queue while all goes well (begin.go). It promises:
//
//   - An effect whose outcome is not certain is never simply repeated. What can be repeated is
//     repeated until its deadline.
//   - No provider is asked for a job any more when another worker takes that job up.
//   - A job is tried a small number of times, and is never done twice at once. One that fails or
//     dies is logged with its kind and id, and counted. The row that it is about gets an end state
//     with a reason.
//   - No link, code or mail reaches a log.
//
// It does not listen. It is for cmd, which registers the workers before the store is started.
package outbound

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/limit"
	"smsbridge/internal/mail"
	"smsbridge/internal/meter"
	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/trace"
	"smsbridge/internal/verification"
)

const (
	// providerTimeout bounds one request to a provider.
	providerTimeout = 10 * time.Second
	// oneTry is the time limit of a job that asks providers. It leaves ten seconds until the rescue
	// for recording what came of it.
	oneTry = store.RescueAfter - 10*time.Second
	// inDatabase is the time limit of a job that is done in the database alone.
	inDatabase = 10 * time.Second
)

// How long a job waits for what it needs. After that it ends with what is known.
const (
	// fetchPatience: a mail that Mailgun keeps may be visible late in its events.
	fetchPatience = 5 * time.Minute
	// clickPatience, from the yes on: an identity provider may be down, or Mailgun may not hand out
	// the mail.
	clickPatience = 5 * time.Minute
	// lookUpPatience: the mail that a yes seems to be about may be visible late in Mailgun's events.
	lookUpPatience = 2 * time.Minute
	// notifyPatience, from the end of a verification on: the tenant's app may be down or respond
	// with an error.
	notifyPatience = 24 * time.Hour
	// findPatience, from the deadline of an unclear text on: its provider may be down.
	findPatience = 24 * time.Hour
	// deletePatience, from Mailgun's time stamp on: Mailgun may be down. Its own retention ends a
	// stored mail after some days.
	deletePatience = 24 * time.Hour
	// reportPatience: Twilio Verify cannot be told how a verification ended. Its own verifications
	// are gone after a day at most
	// (https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts).
	reportPatience = 24*time.Hour - time.Second
)

// slowly is the longest wait of a job that a person waits for.
const slowly = time.Minute

// sendLimits are those of sending a text.
func sendLimits() limits { return limits{oneTry, 0, slowly} }

// table is all the work there is, one row for each kind of job. A row has how the job begins, what
// it does, and its limits: the time for one try, its patience, the longest wait between two tries.
func (w *Worker) table() []*job {
	database := limits{within: inDatabase}
	return []*job{
		// The texts and checks know their own deadlines.
		on[text.SendText](w, sendLimits(), w.beginText, w.sendText).whenLost(lostText).
			begunAtOnce(queueText),
		looking[text.FindText](
			w, limits{oneTry, findPatience, slowly}, text.Find, w.findText).whenLost(text.Refuse),
		looking[verification.CheckCode](
			w, limits{oneTry, 0, slowly}, verification.Unanswered, w.checkCode).whenLost(lostCheck),

		looking[mail.ExamineMail](
			w, limits{oneTry, fetchPatience, slowly}, mail.Pending, w.examineMail,
		).whenLost(lostMail).begunAtOnce(mail.Queue),
		on[challenge.ClickLink](
			w, limits{oneTry, clickPatience, slowly}, challenge.BeginClick, w.clickLink,
		).whenLost(w.lostClick).begunAtOnce(challenge.Queue),
		looking[reply.LookUpMail](w, limits{oneTry, lookUpPatience, slowly}, reply.Find, w.lookUpMail),
		looking[verification.ReportVerification](
			w, limits{
				oneTry, reportPatience, 10 * time.Minute,
			}, verification.Unreported, w.reportVerification).whenLost(lostReport),
		looking[verification.Notify](
			w, limits{oneTry, notifyPatience, time.Hour}, findEnded, w.notify).whenLost(lostNotice),
		looking[mail.DeleteMail](
			w, limits{oneTry, deletePatience, time.Hour}, findMail, w.deleteMail,
		).whenLost(lostDeletion),

		inside[challenge.AnswerTest](w, database, w.answerTest),
		looking[limit.TellOperator](w, database, limit.ToldOf, w.tellOperator),

		inside[store.DropJob](w, database, w.dropJob),

		// Versions before the sweep made these due, one for each row.
		inside[challenge.Expire](w, database, challenge.ExpireDue),
		inside[verification.ExpireVerification](w, database, verification.ExpireDue),

		queued(w, limits{within: oneTry}, func(Sweep) string { return "" }, w.sweep),
		queued(w, limits{within: oneTry}, func(PriceTexts) string { return "" }, w.priceTexts),
		queued(w, limits{within: oneTry}, func(Prune) string { return "" }, w.prune),
		queued(w, database, func(Blank) string { return "" }, w.blank),
		queued(w, limits{within: oneTry}, func(Reseal) string { return "" }, w.reseal),
	}
}

// Worker does the jobs. Set the fields, then Register.
type Worker struct {
	Store    *store.Store
	Settings tenant.Settings // of the start, see Use
	Log      *slog.Logger
	Meter    *meter.Meter  // nil counts nothing
	Traces   *trace.Tracer // nil traces nothing

	http http.RoundTripper
	keys *keys
	jobs []*job

	bundles bundles
	lanes   sync.Map // by place
	aged    sync.Map // by table: the id up to which numbers have been replaced
	// emptied says that the WAL has been emptied since a number was replaced.
	emptied atomic.Bool
	// inUse says that the log has told that the WAL cannot be emptied.
	inUse atomic.Bool
	// blanked says that since then a pass over the unused parts of the file has begun. It goes on at
	// the page blankFrom, 0 when it is over.
	blanked   atomic.Bool
	blankFrom atomic.Int64
	used      atomic.Pointer[tenant.Settings]
}

// Use has the jobs that begin from now on use other settings than those of the start. The name
// server for DKIM stays.
func (w *Worker) Use(s tenant.Settings) { w.used.Store(&s) }

// settings are those that are in use.
func (w *Worker) settings() *tenant.Settings {
	if s := w.used.Load(); s != nil {
		return s
	}
	return &w.Settings
}

// Register adds the workers to the store, which must not be started yet.
func (w *Worker) Register() {
	w.http = toProviders()
	w.keys = newKeys(w.Settings)
	w.jobs = w.table()
	var begun []string
	for _, j := range w.jobs {
		w.Meter.Kind(j.kind)
		j.join(w.Store.Workers())
		if j.queue != nil {
			begun = append(begun, j.kind)
		}
	}
	w.Store.BeginWith(w.begin, begun...)
	w.Store.DescribeWith(w.describe)
	w.Store.RecordWith(w.recorded)
	w.joinBundles(w.Store.Workers())
	for _, p := range periodics() {
		w.Store.Every(p.every, p.job)
		if j, known := w.kind(p.job.Kind()); known {
			j.every = p.every
		}
	}
}

// toProviders makes the requests to providers. They speak HTTP/1.1, where a request that times out
// closes its connection. With HTTP/2 all requests share one, which a firewall may forget without a
// word. Then each of them times out until TCP gives up, after a quarter of an hour.
func toProviders() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 2*atOnce // a new one costs a handshake
	// Balancers close a connection that is idle for a minute. A POST that meets the close is not
	// sent again, and its text is looked up first.
	transport.IdleConnTimeout = 30 * time.Second
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	return transport
}

// Start has the queue worked, and first of all swept. The sweep that comes back by itself comes a
// few seconds later, when the queue has found out which replica enqueues such jobs. So long would
// people wait whose mail or YES a killed process had in hand.
func (w *Worker) Start(ctx context.Context) error {
	err := w.Store.Do(ctx, func(_ context.Context, tx *store.Tx) error {
		tx.Enqueue(Sweep{})
		return nil
	})
	if err != nil {
		return err
	}
	return w.Store.Start(ctx)
}

// periodic is a job that comes back by itself, and how often.
type periodic struct {
	every time.Duration
	job   store.Job
}

func periodics() []periodic {
	return []periodic{
		{sweepEvery, Sweep{}}, {priceEvery, PriceTexts{}}, {pruneEvery, Prune{}},
		{blankEvery, Blank{}}, {resealEvery, Reseal{}},
	}
}

// IsPeriodic reports whether jobs of a kind come back by themselves. They wait most of the time.
func IsPeriodic(kind string) bool {
	return slices.ContainsFunc(periodics(), func(p periodic) bool { return p.job.Kind() == kind })
}
