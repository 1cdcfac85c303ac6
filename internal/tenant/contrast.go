package tenant

import (
	"math"
	"strconv"
	"strings"
)

// OnColor is the color, black or white, that is read best on another, such as "#0b57d0".
//
// Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
func OnColor(color string) string {
	n, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 24)
	if err != nil {
		return "#000000"
	}
	var light [3]float64
	for i, shift := range []int{16, 8, 0} {
		light[i] = linear(float64(n>>shift&0xff) / 255)
	}
	luminance := 0.2126*light[0] + 0.7152*light[1] + 0.0722*light[2]
	if 1.05/(luminance+0.05) >= (luminance+0.05)/0.05 {
		return "#ffffff"
	}
	return "#000000"
}

// linear undoes sRGB's gamma (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance).
func linear(channel float64) float64 {
	if channel <= 0.04045 {
		return channel / 12.92
	}
	return math.Pow((channel+0.055)/1.055, 2.4)
}
