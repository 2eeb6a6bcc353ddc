package enrich

import (
	"strings"
	"testing"
)

func TestCleanURL(t *testing.T) {
	for _, tt := range []struct{ why, in, want string }{
		{"nested too deep to look at", "/?next=%2525252Freset%2525253Ftoken%2525253Dx", "/?next=redacted"},
		{"a broken escape does not help a secret", "/?next=%2Freset%3Ftoken%3Dx%&%74oken%zz=y", "/?next=redacted&%74oken%zz=redacted"},
		{"a matrix parameter of an inner address", "/?next=https%3A%2F%2Fh%2Fa%3Bjsessionid%3Dx%3Fb%3D1", "/?next=redacted"},
		{"a password of an inner address", "/?next=https%3A%2F%2Fu%3Apw%40h%2F", "/?next=redacted"},
		{"JSON", "/?data=%7B%22token%22%3A%22x%22%7D&t=12:30", "/?data=redacted&t=12:30"},
		{"acronyms", "/?PINCode=x&OTPCode=y&login_hint=z&pw=a&oobCode=b", "/?PINCode=redacted&OTPCode=redacted&login_hint=redacted&pw=redacted&oobCode=redacted"},
		{"utm names that are none", "/?utm_token=x&utm_campaign=code", "/?utm_token=redacted&utm_campaign=code"},
		{"separators escaped in the path", "/reset%3Ftoken%3Dx/a/token=y/b=c", "/redacted/a/redacted/b=c"},
		{"a password with a question mark", "https://me:pw?x@a.b/c", "https://a.b/c"},
		{"nothing to hide: byte for byte", "https://a.b/c%20d/?q=a+b&q=%C3%BC&empty=&flag&=x", "https://a.b/c%20d/?q=a+b&q=%C3%BC&empty=&flag&=x"},
		{"one secret among others", "/?a=1&token=x&b=2", "/?a=1&token=redacted&b=2"},
		{"an empty secret is none", "/?token=", "/?token="},
		{"upper case", "/?Token=x&API_KEY=y", "/?Token=redacted&API_KEY=redacted"},
		{"camel case", "/?accessToken=x&userEmail=y&authCode=z", "/?accessToken=redacted&userEmail=redacted&authCode=redacted"},
		{"brackets", "/?user[password]=x&user%5Bemail%5D=y", "/?user[password]=redacted&user%5Bemail%5D=redacted"},
		{"an escaped name", "/?%74oken=x", "/?%74oken=redacted"},
		{"signed storage links", "/f?X-Amz-Signature=x&X-Amz-Credential=y&sig=z&Expires=1", "/f?X-Amz-Signature=redacted&X-Amz-Credential=redacted&sig=redacted&Expires=1"},
		{"OAuth and SAML", "/cb?code=x&state=y&SAMLResponse=z&scope=openid", "/cb?code=redacted&state=redacted&SAMLResponse=redacted&scope=openid"},
		{"a secret in an address in a parameter", "/?next=%2Freset%3Ftoken%3Dx%26a%3D1&a=2", "/?next=redacted&a=2"},
		{"the same, escaped twice", "/?next=%252Freset%253Ftoken%253Dx", "/?next=redacted"},
		{"the same in a fragment", "/?next=%2F%23access_token%3Dx", "/?next=redacted"},
		{"an address without secrets", "/?next=%2Fa%3Fb%3D1", "/?next=%2Fa%3Fb%3D1"},
		{"semicolons separate as well", "/?a=1;token=x;b=2", "/?a=1;token=redacted;b=2"},
		{"matrix parameters", "https://a.b/c;jsessionid=x/d;v=1", "https://a.b/c;jsessionid=redacted/d;v=1"},
		{"user and password", "https://me:pw@a.b/c?x=1", "https://a.b/c?x=1"},
		{"without a path", "https://me@a.b", "https://a.b/"},
		{"an at sign in the path stays", "https://a.b/@me", "https://a.b/@me"},
		{"the fragment goes", "https://a.b/#access_token=x", "https://a.b/"},
		{"words that only look alike", "/?author=x&keyword=y&zipcode=z&postcode=1&monkey=2&passage=3&design=4", "/?author=x&keyword=y&zipcode=z&postcode=1&monkey=2&passage=3&design=4"},
		{"campaigns are no secret", "/?utm_source=email&gclid=1", "/?utm_source=email&gclid=1"},
		{"bad escapes", "/?%zz=1&token%=x&a=%", "/?%zz=1&token%=redacted&a=%"},
		{"letters that grow in lower case", "/?İİİtoken=x", "/?İİİtoken=redacted"},
		{"not UTF-8", "/\xff?a=\xfe", "/\uFFFD?a=\uFFFD"},
	} {
		if got := CleanURL(tt.in); got != tt.want {
			t.Errorf("%s: CleanURL(%q) = %q, want %q", tt.why, tt.in, got, tt.want)
		}
	}
	if got := CleanURL("/" + strings.Repeat("é", MaxURL)); len(got) > MaxURL || !strings.HasSuffix(got, "é") {
		t.Errorf("a long address is %d bytes", len(got))
	}
}

func FuzzCleanURL(f *testing.F) {
	f.Add("https://a.b/c;x=1?next=%2Freset%3Ftoken%3Dx", "s3cret")
	f.Fuzz(func(t *testing.T, address, secret string) {
		CleanURL(address)
		if len(secret) < 12 || strings.ContainsAny(secret, "&;#?=%+/") || strings.Contains(address, secret) {
			return
		}
		if got := CleanURL("https://a.b/?token=" + secret); strings.Contains(got, secret) {
			t.Errorf("the secret %q got through: %q", secret, got)
		}
	})
}
