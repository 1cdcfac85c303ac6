package linkclick

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// In Chinese and Turkish the word for a mailbox stands right before the verb, also where it is that
// of notices.
func TestMailboxOfNotices(t *testing.T) {
	for _, text := range []string{
		"电子邮件通知邮箱已激活", "通知邮箱激活成功。", "邮件通知账户已启用。", "郵件通知信箱已啟用",
		"Bildirim e-posta adresiniz etkinleştirildi.", "Bildirim hesabınız aktifleştirildi.",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
	for _, text := range []string{
		"您的邮箱已激活", "注册激活成功。", "您的電子郵件已啟用。", "您的email已啟用。", "通知：您的邮箱已激活。",
		"E-posta adresiniz etkinleştirildi.", "Kaydınız aktifleştirildi.",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
}

// What the reader can do for the reason of a success takes nothing back, unless its words do.
func TestSuccessAsAReason(t *testing.T) {
	for _, text := range []string{
		"You can sign in because your email has been verified.",
		"Hello Kim, you can now sign in since your account was confirmed.",
		"You will be redirected now that your email address is verified.",
		"Because your email has been verified you can sign in.",
		"We will sign you in now because your account has been activated.",
	} {
		require.Equal(t, OutcomeConfirmed, judgeWords(text, true), text)
	}
	require.Equal(t, OutcomeAlready,
		judgeWords("You can sign in because your email is already verified.", true))
	for _, text := range []string{
		"You can sign in because no email has been verified.",
		"You can not sign in because your email was verified.",
		"You cannot sign in because your email has been verified by someone.",
		"You can sign in, but not because your email has been verified.",
		"You can sign in not because your email has been verified.",
		"You can sign in because your email will be successfully verified.",
		"You can sign in once your email has been verified.",
		"You can sign in when your email is verified, because you must.",
		"You can have your email verified because we ask.",
		"You will get your email verified.", "You can only wait because soon your email is verified.",
		"You can sign in because your email is verified once you press the button.",
		"You can sign in because another account has been verified.",
		"Can you sign in because your email has been verified?",
	} {
		require.Equal(t, OutcomeUnknown, judgeWords(text, true), text)
	}
}
