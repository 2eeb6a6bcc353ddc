package enrich

import "strings"

// secretWords give a parameter away when they are one of the words of its name (api_key, userEmail, reset[code]).
var secretWords = set(`
	token code password passwd passphrase pass pwd secret key apikey signature sig sign session sessionid sid phpsessid
	jsessionid aspsessionid jwt email mail auth authorization authentication otp totp mfa pin credential credentials
	bearer nonce state ticket assertion saml samlresponse samlrequest samlart relaystate hash hmac magic invite invitation
	verification verifier challenge csrf xsrf phone tel mobile ssn iban card cvv cvc accesstoken idtoken refreshtoken
	authtoken oauth access apitoken digest cookie sso license otc passcode secretkey accesskey
	pw sessid authcode oobcode pincode accesscode verificationcode verifycode verify activation activationcode authkey
	resetkey privatekey userpass usermail mailaddress phonenumber mobilephone cardnumber magiclink invitecode resetcode
	logincode totpcode otpcode smscode hint policy
`)

// secretParts give it away wherever they stand (myAccesstoken2, xpasswordx).
var secretParts = []string{"token", "password", "passwd", "secret", "signature", "session", "credential", "apikey", "jwt", "email", "samlres"}

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// secretName says whether the value of a parameter of this name must not be kept. It rather takes a promo_code for a
// secret than a login code for a promotion.
func secretName(raw string) bool {
	name := unescape(raw)
	lower := lowerASCII(name)
	switch lower {
	case "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content":
		return false
	}
	for _, part := range secretParts {
		if strings.Contains(lower, part) {
			return true
		}
	}
	start := 0
	for i := 0; i <= len(name); i++ {
		boundary := i == len(name) || !isAlnum(name[i])
		camel := i > start && i < len(name) && isUpper(name[i]) && // authCode, and PINCode before its last capital
			(!isUpper(name[i-1]) || i+1 < len(name) && 'a' <= name[i+1] && name[i+1] <= 'z')
		if !boundary && !camel {
			continue
		}
		if secretWords[strings.TrimRight(lower[start:i], "0123456789")] {
			return true
		}
		start = i
		if boundary {
			start = i + 1
		}
	}
	return false
}

// lowerASCII keeps every byte in its place, which strings.ToLower does not promise for other letters.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if isUpper(c) {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || isUpper(c) || '0' <= c && c <= '9'
}
