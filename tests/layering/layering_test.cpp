/// The folders are the architecture: who may include whom, and what stays out of which folder.
/// Reads the sources as text, and names the line that breaks a rule.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Names = std::vector<std::string_view>;

/// What one folder may do. A banned header that ends in `/` stands for all below it.
struct Rule {
    std::string_view folder;
    Names may_include; ///< Folders of ours, besides itself.
    Names banned_headers;
    Names banned_words; ///< In code; comments may say them.
};

Names operator+(Names left, const Names& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

const Names caf{"caf/"};
const Names network{"boost/asio/",  "boost/asio.hpp", "boost/beast/", "boost/beast.hpp", "curl/",
                    "sys/socket.h", "netinet/",       "arpa/",        "netdb.h"};
const Names sql{"pqxx/", "libpq-fe.h", "libpq/", "postgresql/"};
const Names logging{"spdlog/", "prometheus/"};
const Names files{"iostream", "fstream", "filesystem", "fcntl.h", "unistd.h"};
const Names threads{"thread", "mutex", "shared_mutex", "condition_variable", "future"};
const Names randomness{"random"};
const Names clocks{"system_clock::now", "steady_clock",  "high_resolution_clock", "utc_clock::now",
                   "gettimeofday",      "clock_gettime", "time(nullptr)",         "time(NULL)"};

/// runtime → actors → journeys ← schema, and runtime → schema.
const std::vector<Rule> rules{
    // Pure functions of their arguments.
    {"journeys", {}, caf + network + sql + logging + files + threads + randomness, clocks},
    // Text in, Result out.
    {"schema", {"journeys"}, caf + network + sql + logging + files + threads, clocks},
    // Ports that runtime implements reach the world; time comes in messages.
    {"actors", {"journeys"}, Names{"caf/io/"} + network + sql + logging + threads, clocks},
    // The only code that touches the world.
    {"runtime", {"actors", "journeys", "schema"}, {}, {}},
};

bool is_folder_of_ours(std::string_view name) {
    return name == "tests" ||
           std::ranges::any_of(rules, [&](const Rule& rule) { return rule.folder == name; });
}

/// Removes comments, in place of which block comments leave their line breaks. `//` within a string
/// counts as a comment too: what it hides is the rest of that line.
std::string without_comments(std::string_view source) {
    std::string code;
    while (!source.empty()) {
        if (source.starts_with("//")) {
            source.remove_prefix(std::min(source.find('\n'), source.size()));
        } else if (source.starts_with("/*")) {
            const auto end = source.find("*/", 2);
            const auto comment = source.substr(0, end == source.npos ? end : end + 2);
            code.append(static_cast<std::size_t>(std::ranges::count(comment, '\n')), '\n');
            source.remove_prefix(comment.size());
        } else {
            code.push_back(source.front());
            source.remove_prefix(1);
        }
    }
    return code;
}

struct Include {
    std::string header;
    bool quoted;
};

std::optional<Include> include_of(std::string_view line) {
    const auto skip_blanks = [&] {
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_blanks();
    if (!line.starts_with('#')) return std::nullopt;
    line.remove_prefix(1);
    skip_blanks();
    if (!line.starts_with("include")) return std::nullopt;
    line.remove_prefix(std::string_view{"include"}.size());
    skip_blanks();
    if (!line.starts_with('"') && !line.starts_with('<')) return std::nullopt;
    const bool quoted = line.front() == '"';
    line.remove_prefix(1);
    return Include{std::string{line.substr(0, line.find_first_of("\">"))}, quoted};
}

bool is_banned(std::string_view header, const Rule& rule) {
    return std::ranges::any_of(rule.banned_headers, [&](std::string_view banned) {
        return banned.ends_with('/') ? header.starts_with(banned) : header == banned;
    });
}

std::optional<std::string> mistake_in(const Include& include, const Rule& rule) {
    const auto& [header, quoted] = include;
    const auto target = header.substr(0, header.find('/'));
    if (is_folder_of_ours(target)) {
        if (target == rule.folder || std::ranges::count(rule.may_include, target) > 0)
            return std::nullopt;
        return std::string{rule.folder} + " may not include " + target + ": " + header;
    }
    if (is_banned(header, rule)) return std::string{rule.folder} + " may not use <" + header + ">";
    if (quoted) return "the include is the path from the root: \"" + header + "\"";
    return std::nullopt;
}

/// Every mistake of one file as `file:line: what`. `file` is its path from the root, e.g.
/// "journeys/a.hpp".
std::vector<std::string> mistakes_in(const std::string& file, std::string_view source) {
    const auto folder = file.substr(0, file.find('/'));
    const auto rule = std::ranges::find(rules, folder, &Rule::folder);
    REQUIRE(rule != rules.end());

    std::vector<std::string> mistakes;
    std::istringstream lines{without_comments(source)};
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
        const auto where = file + ":" + std::to_string(number) + ": ";
        if (const auto include = include_of(line)) {
            if (const auto mistake = mistake_in(*include, *rule))
                mistakes.push_back(where + *mistake);
            continue;
        }
        for (const auto word : rule->banned_words) {
            if (line.find(word) != line.npos)
                mistakes.push_back(where + folder + " may not use " + std::string{word});
        }
    }
    return mistakes;
}

bool is_source(const std::filesystem::path& path) {
    return path.extension() == ".cpp" || path.extension() == ".hpp" || path.extension() == ".h";
}

std::string read(const std::filesystem::path& path) {
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
}

} // namespace

TEST_CASE("every folder includes only what is below it", "[layering]") {
    const std::filesystem::path root{SOJOURN_SOURCE_DIR};
    std::vector<std::string> mistakes;
    std::size_t files_read = 0;
    for (const auto& rule : rules) {
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator{root / rule.folder}) {
            if (!is_source(entry.path())) continue;
            ++files_read;
            const auto file = entry.path().lexically_relative(root).generic_string();
            std::ranges::copy(mistakes_in(file, read(entry.path())), std::back_inserter(mistakes));
        }
    }
    CHECK(files_read > 0);
    INFO(joined(mistakes));
    CHECK(mistakes.empty());
}

TEST_CASE("a line that breaks the layering is named", "[layering]") {
    using Mistakes = std::vector<std::string>;

    SECTION("the arrows point one way") {
        CHECK(mistakes_in("journeys/a.cpp", "\n#include \"schema/b.hpp\"\n") ==
              Mistakes{"journeys/a.cpp:2: journeys may not include schema: schema/b.hpp"});
        CHECK(mistakes_in("journeys/a.cpp", "#include \"actors/b.hpp\"").size() == 1);
        CHECK(mistakes_in("journeys/a.cpp", "#include \"runtime/b.hpp\"").size() == 1);
        CHECK(mistakes_in("schema/a.cpp", "#include \"actors/b.hpp\"").size() == 1);
        CHECK(mistakes_in("schema/a.cpp", "#include \"runtime/b.hpp\"").size() == 1);
        CHECK(mistakes_in("actors/a.cpp", "#include \"schema/b.hpp\"").size() == 1);
        CHECK(mistakes_in("actors/a.cpp", "#include \"runtime/b.hpp\"").size() == 1);
        CHECK(mistakes_in("runtime/a.cpp", "#include \"tests/support/b.hpp\"").size() == 1);
        CHECK(mistakes_in("journeys/a.cpp", "#include <runtime/b.hpp>").size() == 1);

        CHECK(mistakes_in("journeys/cel/a.cpp", "#include \"journeys/b.hpp\"").empty());
        CHECK(mistakes_in("schema/a.cpp", "#include \"journeys/b.hpp\"").empty());
        CHECK(mistakes_in("actors/a.cpp", "#include \"journeys/b.hpp\"").empty());
        CHECK(mistakes_in("runtime/a.cpp",
                          "#include \"actors/b.hpp\"\n#include \"journeys/b.hpp\"\n"
                          "#include \"schema/b.hpp\"\n")
                  .empty());
    }
    SECTION("the core is pure") {
        for (const std::string header :
             {"caf/all.hpp", "boost/asio/io_context.hpp", "boost/beast.hpp", "pqxx/pqxx",
              "libpq-fe.h", "curl/curl.h", "spdlog/spdlog.h", "thread", "mutex", "iostream",
              "fstream", "random"}) {
            CHECK(mistakes_in("journeys/a.cpp", "#include <" + header + ">") ==
                  Mistakes{"journeys/a.cpp:1: journeys may not use <" + header + ">"});
        }
        CHECK(mistakes_in("journeys/a.cpp", "auto now = std::chrono::system_clock::now();") ==
              Mistakes{"journeys/a.cpp:1: journeys may not use system_clock::now"});
        CHECK(mistakes_in("journeys/a.cpp", "using Clock = std::chrono::steady_clock;").size() ==
              1);
        CHECK(
            mistakes_in("journeys/a.cpp", "#include <string>\n#include <boost/json.hpp>").empty());
    }
    SECTION("a codec reads and writes text only") {
        CHECK(mistakes_in("schema/a.cpp", "#include <fstream>").size() == 1);
        CHECK(mistakes_in("schema/a.cpp", "#include <pqxx/pqxx>").size() == 1);
        CHECK(mistakes_in("schema/a.cpp", "#include <nlohmann/json.hpp>").empty());
    }
    SECTION("actors reach the world through ports") {
        CHECK(mistakes_in("actors/a.cpp", "#include <boost/asio.hpp>").size() == 1);
        CHECK(mistakes_in("actors/a.cpp", "#include <sys/socket.h>").size() == 1);
        CHECK(mistakes_in("actors/a.cpp", "#include <libpq-fe.h>").size() == 1);
        CHECK(mistakes_in("actors/a.cpp", "#include <spdlog/spdlog.h>").size() == 1);
        CHECK(mistakes_in("actors/a.cpp", "const auto now = steady_clock::now();").size() == 1);
        CHECK(mistakes_in("actors/a.cpp", "#include <caf/all.hpp>").empty());
    }
    SECTION("runtime may use whatever it needs") {
        CHECK(mistakes_in("runtime/a.cpp", "#include <boost/asio.hpp>\n#include <thread>\n"
                                           "auto now = std::chrono::system_clock::now();\n")
                  .empty());
    }
    SECTION("an include that is not the path from the root") {
        CHECK(mistakes_in("runtime/a.cpp", "#include \"b.hpp\"").size() == 1);
        CHECK(mistakes_in("runtime/a.cpp", "#include \"../actors/b.hpp\"").size() == 1);
    }
    SECTION("however the line is written") {
        CHECK(mistakes_in("journeys/a.cpp", "  #  include   <mutex> // why").size() == 1);
        CHECK(mistakes_in("journeys/a.cpp", "/* two\nlines */\n#include <mutex>\n") ==
              Mistakes{"journeys/a.cpp:3: journeys may not use <mutex>"});
        CHECK(mistakes_in("journeys/a.cpp", "// #include <mutex>\n/* steady_clock */ int a;")
                  .empty());
    }
}
