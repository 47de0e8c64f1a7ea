package amf_test

import (
	"errors"
	"fmt"
	"io"

	"weir/amf"
)

// A command is a row of values: write it, and read it back.
func Example() {
	message := amf.Append0(nil, "connect")
	message = amf.Append0(message, 1)
	message = amf.Append0(message, amf.Object{
		{Key: "app", Value: "live"},
		{Key: "fourCcList", Value: []string{"av01", "hvc1"}},
	})

	d := amf.NewDecoder0(message, amf.Limits{})
	for {
		v, err := d.Decode()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		if o, ok := amf.Properties(v); ok {
			fmt.Println("app", o.String("app"), o.Get("fourCcList"))
		} else {
			fmt.Println(v)
		}
	}
	// Output:
	// connect
	// 1
	// app live [av01 hvc1]
}

// Bytes from strangers: the error says what was wrong, and nothing was allocated
// for the four thousand million elements that were announced.
func ExampleDecoder_Decode() {
	d := amf.NewDecoder0([]byte{0x0A, 0xFF, 0xFF, 0xFF, 0xFF}, amf.Limits{})
	_, err := d.Decode()
	var e *amf.Error
	if errors.As(err, &e) {
		fmt.Println(e.Reason, e.Offset)
	}
	// Output: amf_truncated 0
}

func ExampleAppend3() {
	fmt.Printf("%x\n", amf.Append3(nil, amf.Object{{Key: "a", Value: 5}}))
	// Output: 0a0b010361040501
}
