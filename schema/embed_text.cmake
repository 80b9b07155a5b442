# Writes a text into a source file, so that the binary needs no file at run time:
#   cmake -DOUT=file.cpp -DFILE=some.json -DNAME=function -P embed_text.cmake
file(READ ${FILE} text)
file(WRITE ${OUT} "// Made by embed_text.cmake.\n#include <string_view>\n\nnamespace schema {\n\n")
file(APPEND ${OUT} "std::string_view ${NAME}();\n\nstd::string_view ${NAME}() {\n    return ")
file(APPEND ${OUT} "R\"~text~(${text})~text~\";\n}\n\n} // namespace schema\n")
