package tenant

import (
	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
)

// The names under which callers know what moved to internal/settings and internal/wording.
type (
	Secret   = settings.Secret
	Mistakes = settings.Mistakes
	Saying   = wording.Saying
	Fill     = wording.Fill
)

// The sayings.
const (
	AskRegistration       = wording.AskRegistration
	AskPassword           = wording.AskPassword
	AskPasswordCode       = wording.AskPasswordCode
	TapRegistration       = wording.TapRegistration
	TapPassword           = wording.TapPassword
	BothRegistration      = wording.BothRegistration
	BothPassword          = wording.BothPassword
	RelayReset            = wording.RelayReset
	RelayLogin            = wording.RelayLogin
	Wrong                 = wording.Wrong
	Several               = wording.Several
	ConfirmedRegistration = wording.ConfirmedRegistration
	ConfirmedPassword     = wording.ConfirmedPassword
	Already               = wording.Already
	Used                  = wording.Used
	LinkExpired           = wording.LinkExpired
	NeedsUser             = wording.NeedsUser
	Refused               = wording.Refused
	Unreachable           = wording.Unreachable
	Unknown               = wording.Unknown
	Denied                = wording.Denied
	Late                  = wording.Late
	DoneBefore            = wording.DoneBefore
)

// NewSecret is [settings.NewSecret].
func NewSecret(text string) Secret { return settings.NewSecret(text) }

// Sayings is [wording.Sayings].
func Sayings() []Saying { return wording.Sayings() }

// CodeLocales is [wording.CodeLocales].
func CodeLocales() []string { return wording.CodeLocales() }

// CodeLocale is [wording.CodeLocale].
func CodeLocale(tag string) (string, bool) { return wording.CodeLocale(tag) }
