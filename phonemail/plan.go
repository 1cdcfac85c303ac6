package phonemail

import "strconv"

// This file looks at a number quickly. All that libphonenumber does with a number
// takes many times as long. It is needed only where the number may have a trunk prefix.

//go:generate go test -run ^TestPlans$ -update .

// plan is what is known of the national numbers of a calling code.
type plan struct {
	lengths uint16 // bit n: one may have n digits
	// prefixed: bit d: one that begins with the digit d may have a trunk prefix or a carrier code
	prefixed uint16
}

// quickly returns how many digits of a number are its country code. ok is false where only the
// library can tell: the number may have a trunk prefix, or is impossible.
func quickly(plain string) (code int, ok bool) {
	calling := 0
	for code = 1; code <= 3 && code < len(plain); code++ {
		calling = calling*10 + int(plain[code-1]-'0')
		// No calling code is the beginning of another (ITU-T E.164 (11/2010), 6.2.2).
		if p := plans[calling]; p.lengths != 0 {
			possible := p.lengths&(1<<(len(plain)-code)) != 0
			return code, possible && p.prefixed&(1<<(plain[code]-'0')) == 0
		}
	}
	return 0, false
}

// parts returns the country code of a number and its national digits.
func (n Number) parts() (code int, national string) {
	plain := n.digits.Value()
	code, _ = strconv.Atoi(plain[:n.code])
	return code, plain[n.code:]
}
