#error "The library includes the header of a host"
