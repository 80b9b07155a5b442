# Writes the migrations into a source file, so that the binary needs no file at run time:
#   cmake -DOUT=file.cpp "-DFILES=0001_a.sql;0002_b.sql" -P embed_migrations.cmake
set(code "// Made from schema/migrations by embed_migrations.cmake.\n#include \"runtime/postgres/migrate.hpp\"\n\n")
string(APPEND code "namespace runtime {\n\nconst std::vector<Migration>& migrations() {\n    static const std::vector<Migration> all{\n")
foreach(file ${FILES})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} sql)
    string(REGEX MATCH "^0*([0-9]+)_" _ ${name})
    string(APPEND code "        {${CMAKE_MATCH_1}, \"${name}\", R\"~sql~(${sql})~sql~\"},\n")
endforeach()
string(APPEND code "    };\n    return all;\n}\n\n} // namespace runtime\n")
file(WRITE ${OUT} "${code}")
