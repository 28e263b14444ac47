module peer-libvolo-go-http

go 1.26

require libvolo/go v0.0.0

replace libvolo/go => ../../../../go
