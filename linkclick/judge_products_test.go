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
