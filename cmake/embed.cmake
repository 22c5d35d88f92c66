# Writes a C source with the bytes of a file: cmake -DFROM=file -DTO=source.c -DNAME=symbol -P embed.cmake
file(READ "${FROM}" bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE "${TO}" "#include <stddef.h>\n
extern const unsigned char ${NAME}[];\nextern const size_t ${NAME}_size;\n
const unsigned char ${NAME}[] = {\n${bytes}};\nconst size_t ${NAME}_size = ${size};\n")
