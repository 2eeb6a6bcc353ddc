package enrich_test

import (
	"fmt"

	"github.com/loguro/loguro/enrich"
)

func ExampleCleanURL() {
	fmt.Println(enrich.CleanURL("https://app.acme.com/reset?step=2&token=s3cret&next=%2Fa%3Fpassword%3Dx"))
	// Output:
	// https://app.acme.com/reset?step=2&token=redacted&next=redacted
}
