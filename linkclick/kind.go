package linkclick

// Kind says what a mail wants to be done.
type Kind string

// The kinds of mail. A worker may click the link of a verify mail for the reader. It may pass on
// the link of a reset or login mail. No other mail has a URL in its finding.
const (
	KindVerify  Kind = "verify"  // confirm that an address is the reader's
	KindReset   Kind = "reset"   // choose a new password, recover an account
	KindLogin   Kind = "login"   // sign in by link
	KindCode    Kind = "code"    // type a code somewhere
	KindInvite  Kind = "invite"  // join something, or set a first password
	KindChange  Kind = "change"  // change the address or undo a change
	KindNotice  Kind = "notice"  // nothing to do
	KindUnknown Kind = "unknown" // could not be told
)
