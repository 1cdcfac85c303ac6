package optout_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/optout"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

// Ensure that a file that is no CSV is refused with its columns, wherever it is broken: a quote
// that is not closed, one within a field, too few fields.
func TestReadBrokenCSV(t *testing.T) {
	for _, text := range []string{
		"+46701740613,all,,,,mail,ann,\n\"+46701740614,all,,,,mail,ann,\n", "a\"b,c\n", "phone\n",
	} {
		_, err := optout.ReadCSV(strings.NewReader(text), tenant.Set{}, storetest.Start)
		require.ErrorAs(t, err, new(*optout.Bad), text)
		require.ErrorContains(t, err, "the file is not a CSV file of 8 columns")
	}
}

// Ensure that an empty file, as an export that failed leaves behind, is not taken for a list of no
// opt-outs: everybody on the real list would be texted.
func TestReadEmptyCSV(t *testing.T) {
	for _, text := range []string{"", "\n\n", "\ufeff"} {
		_, err := optout.ReadCSV(strings.NewReader(text), tenant.Set{}, storetest.Start)
		require.ErrorAs(t, err, new(*optout.Bad), "%q", text)
		require.ErrorContains(t, err, "the file is empty", "%q", text)
	}
	all, err := optout.ReadCSV(strings.NewReader("phone,scope,tenant,account,sender,via,by,since\n"),
		tenant.Set{}, storetest.Start)
	require.NoError(t, err)
	require.Empty(t, all)
}

// Ensure that no line stands for an account that no provider has: the opt-out would hold for all
// tenants or for another one, and no command could end it.
func TestReadCSVOfNoAccount(t *testing.T) {
	for _, account := range []string{"/all", "/tenant"} {
		_, err := optout.ReadCSV(strings.NewReader("+46701740613,sender,,"+account+",acme,mail,ann,\n"),
			tenant.Set{}, storetest.Start)
		require.ErrorAs(t, err, new(*optout.Bad))
		require.ErrorContains(t, err, "line 1: the account is none of a provider")
	}
}

// Ensure that a line is refused which one of the databases would not take: an import ends with its
// first error, and what is before that stays.
func TestReadCSVOfNoText(t *testing.T) {
	for _, by := range []string{"\x00", "J\xf8rgen"} {
		_, err := optout.ReadCSV(strings.NewReader("+46701740613,all,,,,mail,ann,\n"+
			"+46701740614,all,,,,mail,"+by+",\n"), tenant.Set{}, storetest.Start)
		require.ErrorAs(t, err, new(*optout.Bad))
		require.ErrorContains(t, err, "line 2 has bytes that are no text")
	}
}

// Ensure that a file that cannot be read to its end is not called a file of another form.
func TestReadCSVThatBreaksOff(t *testing.T) {
	broken := errors.New("the connection broke")
	_, err := optout.ReadCSV(io.MultiReader(strings.NewReader("+46701740613,all,,,,mail,ann,\n"),
		iotest.ErrReader(broken)), tenant.Set{}, storetest.Start)
	require.ErrorIs(t, err, broken)
	var bad *optout.Bad
	require.NotErrorAs(t, err, &bad)
}

// Ensure that a file is read which a spreadsheet saved: with a byte order mark, and CRLF.
func TestReadCSVOfASpreadsheet(t *testing.T) {
	for _, heading := range []string{
		"phone,scope,tenant,account,sender,via,by,since",
		`"phone","scope","tenant","account","sender","via","by","since"`,
	} {
		all, err := optout.ReadCSV(strings.NewReader(
			"\ufeff"+heading+"\r\n+46701740613,all,,,,mail,ann,2024-01-31T12:00:00Z\r\n"), tenant.Set{},
			storetest.Start)
		require.NoError(t, err, heading)
		require.Len(t, all, 1)
	}
}

// Ensure that a line is refused whose time is to come. That of a date may be tomorrow's in UTC.
func TestReadCSVOfTheFuture(t *testing.T) {
	read := func(since time.Time) error {
		_, err := optout.ReadCSV(strings.NewReader("+46701740613,all,,,,mail,ann,\n"+
			"+46701740614,all,,,,mail,ann,"+since.Format(time.RFC3339)+"\n"), tenant.Set{}, storetest.Start)
		return err
	}
	require.NoError(t, read(storetest.Start.Add(24*time.Hour)))
	err := read(storetest.Start.Add(24*time.Hour + time.Second))
	require.ErrorAs(t, err, new(*optout.Bad))
	require.ErrorContains(t, err, "line 2: the time is in the future")
}

// Ensure that a line is refused whose program did not know the time.
func TestReadCSVOfAnUnknownTime(t *testing.T) {
	for _, since := range []string{"1970-01-01", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"} {
		_, err := optout.ReadCSV(strings.NewReader("+46701740614,all,,,,mail,ann,"+since+"\n"),
			tenant.Set{}, storetest.Start)
		require.ErrorAs(t, err, new(*optout.Bad))
		require.ErrorContains(t, err, "line 1: the time is none", since)
	}
}

// zeros never ends, as /dev/zero does not.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Ensure that a file without an end is not read for ever.
//
//test:unwatched
func TestReadCSVWithoutAnEnd(t *testing.T) {
	_, err := optout.ReadCSV(zeros{}, tenant.Set{}, storetest.Start)
	require.ErrorAs(t, err, new(*optout.Bad))
	require.ErrorContains(t, err, "the file is larger than 64 MiB")
}

// FuzzReadCSV ensures that what is read once can be read from any text without a panic.
func FuzzReadCSV(f *testing.F) {
	for _, text := range []string{
		"", "\"", "+46701740613,all,,,,mail,ann,2026-01-31\n", "\"\",,,,,,,\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := optout.ReadCSV(strings.NewReader(text), tenant.Set{}, storetest.Start)
		if err != nil {
			require.ErrorAs(t, err, new(*optout.Bad))
			return
		}
		for _, said := range all {
			require.NotEmpty(t, said.Phone.E164())
		}
	})
}
