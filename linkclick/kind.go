package linkclick

// Kind says what a mail wants to be done.
type Kind string

// The kinds of mail. A verify mail's link may be clicked for the reader, the links of reset and
// login mails may be passed on to the reader, and no other mail has a URL in its finding.
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
