package db

// The words of some columns, each as a type of its own, so that a state of one table is not taken
// for one of another. Which words there are and what they mean, the rule of the table says.
type (
	MailState         string
	ChallengeState    string
	ChallengePurpose  string
	TextState         string
	TextPurpose       string
	VerificationState string
	ReplyWord         string
)
