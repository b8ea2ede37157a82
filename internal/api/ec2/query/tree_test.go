package query

import (
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"Action=DescribeVpcs&Version=2016-11-15&VpcId.1=vpc-1",
		"Filter.1.Name=tag%3AName&Filter.1.Value.1=a+b&Filter.2.Value=x",
		"a..b=1&.=2&%zz=3&=&&", "A.0=1&A.1000=2&A.1001=3&A.-1=4",
		strings.Repeat("x.", 40) + "y=1", "a=%ff%00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		params, err := Parse(s)
		if err != nil {
			return
		}
		for _, p := range params {
			if !legal(p.Name) || !legal(p.Value) {
				t.Fatalf("parameter %q=%q passed", p.Name, p.Value)
			}
		}
		root, err := Tree(params)
		if err != nil {
			return
		}
		// Every parameter is found again, at its own path.
		n, walk := 0, (func(*Node))(nil)
		walk = func(x *Node) {
			if x.Set {
				n++
			}
			for i := range x.Children {
				walk(&x.Children[i])
			}
		}
		walk(root)
		if n != len(params) {
			t.Fatalf("%d parameters, %d in the tree", len(params), n)
		}
	})
}

func TestTreeFindsChildrenAmongMany(t *testing.T) {
	var params []Param
	for _, a := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		for _, b := range []string{"1", "2"} {
			params = append(params, Param{"L." + a + "." + b, a + b})
		}
	}
	root, err := Tree(params)
	if err != nil {
		t.Fatal(err)
	}
	list := root.Children[0]
	if len(root.Children) != 1 || len(list.Children) != 26 {
		t.Fatalf("%d roots, %d children", len(root.Children), len(list.Children))
	}
	for _, c := range list.Children {
		if len(c.Children) != 2 || c.Children[1].Value != c.Name+"2" || c.Children[1].Path != "L."+c.Name+".2" {
			t.Errorf("child %+v", c)
		}
	}
}
