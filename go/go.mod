module libvolo/go

go 1.26
