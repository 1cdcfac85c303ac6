package optout

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Bad is what is wrong with a file of opt-outs, and what to do. It repeats nothing of the file.
type Bad struct{ What, Hint string }

// Error implements error.
func (b *Bad) Error() string { return b.What }

// columns are the columns of the file in which opt-outs move between bridges.
func columns() []string {
	return []string{"phone", "scope", "tenant", "account", "sender", "via", "by", "since"}
}

// mostCSV, in bytes, is half a million opt-outs.
const mostCSV = 64 << 20

// byteOrderMark is what spreadsheets put before a CSV file in UTF-8.
const byteOrderMark = "\ufeff"

// ReadCSV reads such a file. A [*Bad] names the line.
func ReadCSV(in io.Reader, tenants tenant.Set, now time.Time) (all []text.Said, err error) {
	limited := &io.LimitedReader{R: in, N: mostCSV + 1}
	text := bufio.NewReader(limited)
	if start, _ := text.Peek(len(byteOrderMark)); string(start) == byteOrderMark {
		_, _ = text.Discard(len(byteOrderMark)) // which cannot fail after the look at it
	}
	rows := csv.NewReader(text)
	rows.FieldsPerRecord = len(columns())
	for begun := false; ; begun = true {
		row, err := rows.Read()
		if limited.N == 0 {
			return nil, &Bad{"the file is larger than 64 MiB", "import it in parts; nothing was imported"}
		}
		if errors.Is(err, io.EOF) && !begun {
			// An export without opt-outs has the line of the columns.
			return nil, &Bad{"the file is empty", "make it again: a file of no opt-outs has the line " +
				strings.Join(columns(), ",")}
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		var form *csv.ParseError
		switch {
		case errors.As(err, &form):
			return nil, &Bad{fmt.Sprintf("the file is not a CSV file of %d columns",
				len(columns())), "its columns are " + strings.Join(columns(), ",")}
		case err != nil:
			return nil, fmt.Errorf("reading opt-outs: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if !store.IsText(strings.Join(row, ",")) {
			return nil, &Bad{fmt.Sprintf("line %d has bytes that are no text", line),
				"write it in UTF-8; nothing was imported"}
		}
		if len(all) == 0 && slices.Equal(row, columns()) {
			continue
		}
		said, what := readLine(row, tenants, now)
		if what != "" {
			return nil, &Bad{fmt.Sprintf("line %d: %s", line, what),
				"write it as smsbridge optout export does; nothing was imported"}
		}
		all = append(all, said)
	}
}

// readLine reads one line, or says what is wrong with it.
func readLine(
	row []string, tenants tenant.Set, now time.Time,
) (s text.Said, wrong string) {
	phone, err := phonemail.ParseNumber(row[0])
	if err != nil {
		return s, "the phone is not a number such as +4512345678"
	}
	s = text.Said{Phone: phone, Via: text.Via(row[5]), Recorder: row[6]}
	switch row[1] {
	case "all":
		s.Reach.All = true
	case "tenant":
		if _, known := tenants.Tenant(row[2]); !known {
			return s, "there is no such tenant"
		}
		s.Reach.Tenant = row[2]
	case "sender":
		s.Reach.Line = phonemail.Line{Account: row[3], Sender: row[4]}
		if row[3] == "" || row[4] == "" {
			return s, "the scope sender needs an account and a sender"
		}
		if !text.IsAccount(row[3]) {
			return s, "the account is none of a provider"
		}
	default:
		return s, "the scope is not sender, tenant or all"
	}
	if !slices.Contains(append(text.Vias(), text.ByReply, text.ByProvider), s.Via) {
		return s, "via is not reply, provider, mail, phone, letter or other"
	}
	known := false
	if s.Since, known = ParseTime(row[7]); !known {
		return s, "the time is none"
	}
	if isFuture(s.Since, now) {
		return s, "the time is in the future"
	}
	return s, ""
}

// ParseTime reads when a person said so, zero for nothing written. It reports false for no time,
// and for the start of 1970 or before, which programs write when they do not know.
func ParseTime(given string) (at time.Time, known bool) {
	if given == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, given); err == nil {
			return at, at.UnixMilli() > 0
		}
	}
	return time.Time{}, false
}

// CSVWriter writes such a file.
type CSVWriter struct{ rows *csv.Writer }

// NewCSVWriter writes the names of the columns.
func NewCSVWriter(out io.Writer) CSVWriter {
	w := CSVWriter{csv.NewWriter(out)}
	_ = w.rows.Write(columns()) // Flush returns the error
	return w
}

// Write writes an opt-out whose number is not erased.
func (w CSVWriter) Write(o text.KnownOptOut) error {
	return w.rows.Write([]string{
		o.Phone.E164(), o.Reach.String(), o.Reach.Tenant, o.Reach.Line.Account, o.Reach.Line.Sender,
		string(o.Via), o.Recorder, o.Since.UTC().Format(time.RFC3339),
	})
}

// Flush ends the file.
func (w CSVWriter) Flush() error {
	w.rows.Flush()
	return w.rows.Error()
}

// eachAtOnce is how many opt-outs are read at a time.
const eachAtOnce = 500

// Each calls f with every opt-out, the oldest record first.
func Each(ctx context.Context, s *store.Store, f func(o text.KnownOptOut) error) error {
	if err := Adopt(ctx, s); err != nil {
		return err
	}
	for after := ""; ; {
		var page []text.KnownOptOut
		err := s.Read(ctx, func(ctx context.Context, view store.View) (err error) {
			page, err = text.OptOutsAfter(ctx, view, after, eachAtOnce)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, o := range page {
			if err := f(o); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}
