package db

// The words of some columns. Each column has a type of its own, so that a state of one table is not
// taken for one of another. The rule of the table says which words there are and what they mean.
type (
	MailState          string
	ChallengeState     string
	ChallengeOutcome   string
	ChallengePurpose   string
	TextState          string
	TextPurpose        string
	VerificationState  string
	VerificationAsker  string
	VerificationReason string
	CallbackState      string
	CodeVerdict        string
	DurableState       string
	ReplyWord          string
)
