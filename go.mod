module smsbridge

go 1.26.0

// Each direct dependency with what it is here for.
require (
	code.dny.dev/ssrf v0.3.0 // judges addresses when dialed, by IANA's registries kept up to date
	github.com/alecthomas/kong v1.17.0 // commands, flags, variables and help from one struct
	github.com/chromedp/cdproto v0.159.0 // tests: the browser's protocol, for its settings
	github.com/chromedp/chromedp v0.22.0 // tests: drives a real browser over the pages
	github.com/emersion/go-message v0.18.2 // reads MIME, its encodings and charsets
	github.com/emersion/go-msgauth v0.7.0 // verifies the DKIM signatures of mails; simulator: signs, as identity providers do
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6 // simulator: the type of go-smtp's AUTH
	github.com/emersion/go-smtp v0.25.0 // simulator: takes mail by SMTP, so that any identity provider can be tried
	github.com/golang-jwt/jwt/v5 v5.3.1 // Auth0's session tokens: a well-kept parser of signed tokens beats our own
	github.com/google/uuid v1.6.0 // ids that sort by time (UUIDv7)
	github.com/jackc/pgx/v5 v5.13.0 // PostgreSQL
	github.com/labstack/echo/v4 v4.16.0 // HTTP routing
	github.com/lmittmann/tint v1.2.1 // the log as a person reads it on a terminal; slog's own text is for programs
	github.com/mailgun/mailgun-go/v4 v4.23.0 // tests: the client and the mock of its makers, against our simulator and our reading
	github.com/mattn/go-isatty v0.0.24 // tells whether the log goes to a terminal
	github.com/nyaruka/phonenumbers v1.8.1 // tests: libphonenumber's metadata, of which phonemail's tables are generated
	github.com/pressly/goose/v3 v3.29.0 // migrations
	github.com/prometheus/client_golang v1.25.0 // metrics as Prometheus reads them: formats, histograms and the runtime's own
	github.com/riverqueue/river v0.51.2 // the durable job queue, on both databases; all its modules in one version
	github.com/riverqueue/river/riverdriver v0.51.2 // River: what its two drivers have in common
	github.com/riverqueue/river/riverdriver/riverpgxv5 v0.51.2 // River on PostgreSQL
	github.com/riverqueue/river/riverdriver/riversqlite v0.51.2 // River on SQLite
	github.com/riverqueue/river/rivertype v0.51.2 // River: the rows and errors that its workers and middleware see
	github.com/rogpeppe/go-internal v1.16.0 // tests: stories on the real binary (testscript)
	github.com/stretchr/testify v1.12.1 // tests: require
	github.com/twilio/twilio-go v1.31.0 // Twilio's client and signatures; its packages of resources are for tests alone: they take long to compile
	go.opentelemetry.io/proto/slim/otlp v1.11.1 // the form in which collectors take traces; without gRPC
	go.yaml.in/yaml/v3 v3.0.6 // the file of several tenants, with the line of every mistake
	golang.org/x/crypto v0.58.0 // bcrypt: hashes of operators' passwords
	golang.org/x/net v0.62.0 // reads HTML; knows public suffixes; simulator: speaks DNS
	golang.org/x/sync v0.24.0 // goroutines that end together
	golang.org/x/term v0.47.0 // reads a password from a terminal without showing it
	golang.org/x/text v0.43.0 // normal forms and case folding of replies, charsets of mails
	google.golang.org/protobuf v1.36.12 // writes that form; Prometheus needs it too
	modernc.org/sqlite v1.60.1 // SQLite without cgo; the only driver that numbers parameters as PostgreSQL does
	pgregory.net/rapid v1.3.0 // tests: properties
	riverqueue.com/riverui v0.22.0 // River's own pages of the raw jobs, which operators see behind our login
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/gabriel-vasile/mimetype v1.4.12 // indirect
	github.com/go-chi/chi/v5 v5.2.1 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/go-playground/locales v0.14.1 // indirect
	github.com/go-playground/universal-translator v0.18.1 // indirect
	github.com/go-playground/validator/v10 v10.30.1 // indirect
	github.com/golang/mock v1.6.0 // indirect
	github.com/jackc/pgerrcode v0.0.0-20250907135507-afb5586c32a6 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/labstack/gommon v0.5.0 // indirect
	github.com/leodido/go-urn v1.4.0 // indirect
	github.com/mailgun/errors v0.4.0 // indirect
	github.com/mattn/go-colorable v0.1.15 // indirect
	github.com/mfridman/interpolate v0.0.2 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.2 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/riverqueue/apiframe v0.0.0-20251229202423-2b52ce1c482e // indirect
	github.com/riverqueue/river/rivershared v0.51.2 // indirect
	github.com/sethvargo/go-retry v0.5.0 // indirect
	github.com/tidwall/gjson v1.20.0 // indirect
	github.com/tidwall/match v1.2.0 // indirect
	github.com/tidwall/pretty v1.2.2 // indirect
	github.com/tidwall/sjson v1.2.5 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/valyala/fasttemplate v1.2.2 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	modernc.org/libc v1.78.0 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)
