package store

import (
	"context"
	"time"

	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/phonemail"
)

// View is the part of the store that reads: all queries that change nothing, and the opening of
// what is sealed. Read hands out nothing else, and a Tx is one too. A function that takes a View
// cannot write, enqueue or seal.
type View interface {
	// Now is the one time of the transaction, or of the Read.
	Now() time.Time
	// Moment is Now as rows keep it.
	Moment() moment.Moment
	// Fingerprint stands for a value by which rows are found, so that the value is in none of them.
	Fingerprint(value string) string
	// Open returns what was sealed for a place, or ErrSealed. Empty stays empty.
	Open(p Place, sealed string) ([]byte, error)
	// Unpack returns what was packed for a place, or ErrSealed. Nothing stays nothing.
	Unpack(p Place, packed []byte) ([]byte, error)
	// Pseudonym is what stands for a phone once its number is erased.
	Pseudonym(phone phonemail.Number) phonemail.Number

	LastAuth0Code(ctx context.Context, arg db.LastAuth0CodeParams) (db.Auth0Notification, error)
	SameAuth0Notification(
		ctx context.Context, arg db.SameAuth0NotificationParams,
	) (db.Auth0Notification, error)

	GetCallback(ctx context.Context, id string) (db.Callback, error)
	NextCallback(ctx context.Context, arg db.NextCallbackParams) (db.Callback, error)
	CallbacksAfter(ctx context.Context, arg db.CallbacksAfterParams) ([]db.Callback, error)
	CallbacksBefore(ctx context.Context, arg db.CallbacksBeforeParams) ([]db.Callback, error)
	CallbacksInStateBefore(
		ctx context.Context, arg db.CallbacksInStateBeforeParams,
	) ([]db.Callback, error)
	CallbacksInStateAfter(
		ctx context.Context, arg db.CallbacksInStateAfterParams,
	) ([]db.Callback, error)

	OverdueChallenges(ctx context.Context, arg db.OverdueChallengesParams) ([]db.Challenge, error)
	ClicksBegunBefore(ctx context.Context, arg db.ClicksBegunBeforeParams) ([]string, error)
	AskedOpenChallenges(ctx context.Context, arg db.AskedOpenChallengesParams) ([]db.Challenge, error)
	GetChallenge(ctx context.Context, id string) (db.Challenge, error)
	GetOpenChallenge(ctx context.Context, arg db.GetOpenChallengeParams) (db.Challenge, error)
	LastChallengesOfPhone(
		ctx context.Context, arg db.LastChallengesOfPhoneParams,
	) ([]db.Challenge, error)
	MistakableChallenges(
		ctx context.Context, arg db.MistakableChallengesParams,
	) ([]db.Challenge, error)
	NewestAppQuestions(
		ctx context.Context, arg db.NewestAppQuestionsParams,
	) ([]db.NewestAppQuestionsRow, error)
	OpenChallengesOfPhone(
		ctx context.Context, arg db.OpenChallengesOfPhoneParams,
	) ([]db.Challenge, error)

	CountOpenCodeChecks(ctx context.Context, verificationID string) (int64, error)
	GetCodeCheck(ctx context.Context, id string) (db.CodeCheck, error)

	GetDurableInstance(
		ctx context.Context, arg db.GetDurableInstanceParams,
	) (db.GetDurableInstanceRow, error)
	GetDurableVerification(
		ctx context.Context, arg db.GetDurableVerificationParams,
	) (db.GetDurableVerificationRow, error)
	ListDurableInstances(
		ctx context.Context, arg db.ListDurableInstancesParams,
	) ([]db.ListDurableInstancesRow, error)

	EventsAfter(ctx context.Context, arg db.EventsAfterParams) ([]db.Event, error)
	EventsOf(ctx context.Context, subject string) ([]db.Event, error)

	GetGuesses(ctx context.Context, arg db.GetGuessesParams) (string, error)

	GetIdempotencyKey(ctx context.Context, arg db.GetIdempotencyKeyParams) (db.IdempotencyKey, error)

	MailsBegunBefore(ctx context.Context, arg db.MailsBegunBeforeParams) ([]string, error)
	GetMail(ctx context.Context, id string) (db.Mail, error)
	MailFunnel(ctx context.Context, arg db.MailFunnelParams) ([]db.MailFunnelRow, error)
	MailOf(ctx context.Context, arg db.MailOfParams) (string, error)
	NewestMails(ctx context.Context, arg db.NewestMailsParams) ([]db.NewestMailsRow, error)

	GetOperatorSession(ctx context.Context, id string) (db.OperatorSession, error)
	OperatorActsBefore(ctx context.Context, arg db.OperatorActsBeforeParams) ([]db.OperatorAct, error)

	NodesSeenSince(ctx context.Context, since moment.Moment) ([]db.Node, error)

	OptOutsOf(ctx context.Context, arg db.OptOutsOfParams) ([]db.OptOut, error)
	GetOptOut(ctx context.Context, id string) ([]db.OptOut, error)
	OptOutsAfter(ctx context.Context, arg db.OptOutsAfterParams) ([]db.OptOut, error)
	OlderOptOuts(ctx context.Context, most int32) ([]db.OptOut, error)

	ChallengesOfPhone(ctx context.Context, arg db.ChallengesOfPhoneParams) ([]db.Challenge, error)
	PhonesOfChallenge(ctx context.Context, key string) ([]phonemail.Number, error)
	PhonesOfMail(ctx context.Context, key string) ([]phonemail.Number, error)
	PhonesOfReply(ctx context.Context, key string) ([]phonemail.Number, error)
	PhonesOfText(ctx context.Context, key string) ([]phonemail.Number, error)
	PhonesOfVerification(ctx context.Context, key string) ([]phonemail.Number, error)
	MailsOfPhone(ctx context.Context, arg db.MailsOfPhoneParams) ([]db.Mail, error)
	RepliesOfPhone(ctx context.Context, arg db.RepliesOfPhoneParams) ([]db.Reply, error)
	TextsOfPhone(ctx context.Context, arg db.TextsOfPhoneParams) ([]db.Text, error)
	VerificationsOfPhone(
		ctx context.Context, arg db.VerificationsOfPhoneParams,
	) ([]db.Verification, error)

	GetReply(ctx context.Context, id string) (db.Reply, error)
	ReplyOf(ctx context.Context, arg db.ReplyOfParams) (db.Reply, error)
	GetReplyGuesses(ctx context.Context, phone phonemail.Number) (string, error)

	GetSecret(ctx context.Context, id string) (string, error)

	GetSeen(ctx context.Context, arg db.GetSeenParams) (db.Seen, error)

	GetShortLink(ctx context.Context, id string) (db.ShortLink, error)

	GetPause(ctx context.Context, arg db.GetPauseParams) (string, error)

	GetPricePass(ctx context.Context, name string) (string, error)

	GetTally(ctx context.Context, key string) (db.Tally, error)
	TalliesOf(ctx context.Context, arg db.TalliesOfParams) ([]db.Tally, error)
	TalliesHeld(ctx context.Context) ([]db.Tally, error)
	TalliesOpen(ctx context.Context) ([]db.Tally, error)
	TalliesSince(ctx context.Context, arg db.TalliesSinceParams) ([]db.Tally, error)

	CountTextsOfVerification(
		ctx context.Context, arg db.CountTextsOfVerificationParams,
	) (int64, error)
	CountTextsWithProviderID(
		ctx context.Context, arg db.CountTextsWithProviderIDParams,
	) (int64, error)
	GetText(ctx context.Context, id string) (db.Text, error)
	TextsSendingSince(ctx context.Context, arg db.TextsSendingSinceParams) ([]string, error)
	TextsUsed(ctx context.Context, arg db.TextsUsedParams) ([]db.TextsUsedRow, error)
	TextsWithoutPrice(
		ctx context.Context, arg db.TextsWithoutPriceParams,
	) ([]db.TextsWithoutPriceRow, error)
	PromptOfChallenge(ctx context.Context, challengeID string) (db.TextState, error)
	LastTextOfVerification(ctx context.Context, verificationID string) (db.Text, error)

	CountExternalVerifications(
		ctx context.Context, arg db.CountExternalVerificationsParams,
	) (int64, error)
	GetExternalVerification(
		ctx context.Context, arg db.GetExternalVerificationParams,
	) (db.Verification, error)
	GetVerification(ctx context.Context, id string) (db.Verification, error)
	NewestVerifications(
		ctx context.Context, arg db.NewestVerificationsParams,
	) ([]db.NewestVerificationsRow, error)
	GetVerificationOf(ctx context.Context, arg db.GetVerificationOfParams) (db.Verification, error)
	ListVerifications(
		ctx context.Context, arg db.ListVerificationsParams,
	) ([]db.ListVerificationsRow, error)
	OpenVerificationsOfPhone(
		ctx context.Context, arg db.OpenVerificationsOfPhoneParams,
	) ([]db.Verification, error)
	OverdueVerifications(ctx context.Context, arg db.OverdueVerificationsParams) ([]string, error)
	ShowVerification(
		ctx context.Context, arg db.ShowVerificationParams,
	) (db.ShowVerificationRow, error)
	UnreportedVerificationsOfPhone(
		ctx context.Context, arg db.UnreportedVerificationsOfPhoneParams,
	) ([]db.Verification, error)

	GetVerifyReport(ctx context.Context, id string) (db.VerifyReport, error)
	OpenVerifyReportsOfPhone(
		ctx context.Context, arg db.OpenVerifyReportsOfPhoneParams,
	) ([]db.VerifyReport, error)
}

// reader is all that a View needs. It is a View to the callers of Read, who cannot reach its
// queries that write.
type reader struct {
	*db.Queries
	now     time.Time
	sealer  sealer
	digests digestKey
	packer  *packer
}

func (r *reader) Now() time.Time { return r.now }

func (r *reader) Moment() moment.Moment { return moment.Of(r.now) }
