package transform

import (
	"strings"
	"testing"
)

func TestAProgramShowsWhatItReadsAndMakes(t *testing.T) {
	p, err := Compile(debtView(), nil)
	if err != nil {
		t.Fatal(err)
	}
	text := p.String()
	for _, want := range []string{
		"on-demand feature view odfv (pandas)\n", "  reads loan_amnt INT64 (request data)\n", "  reads credit_card_due INT64 (v)\n", "  makes total_debt_due DOUBLE\n",
		"  | def total_debt_calc(inputs: pd.DataFrame) -> pd.DataFrame:\n", "  |     return out\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "@on_demand") {
		t.Errorf("the decorator is shown:\n%s", text)
	}
}
