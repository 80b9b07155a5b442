/// A fuzz target for parser, checker, printer and evaluator. The first byte chooses the rules, the
/// rest is the expression. Built by tests/cel/fuzz/run with libFuzzer; elsewhere it replays files
/// given by name.
#include "journeys/cel/parser.hpp"
#include "journeys/cel/print.hpp"
#include "tests/cel/world.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

namespace {

using namespace world;

/// What a fault of ours looks like to the fuzzer.
void require(bool holds, const char* what, std::string_view source) {
    if (holds) return;
    std::cerr << what << ": " << source << '\n';
    std::abort();
}

/// Of all that differs between two environments, only these rules.
std::string evaluated(const World& world, std::string_view source) {
    const auto compiled = compile(source, world.environment);
    if (!compiled.program) return "refused";
    Arena arena;
    const Limits limits{.steps = 20'000, .result_bytes = 64 * 1024};
    const auto value = compiled.program->evaluate({world.variables, &world.factor, limits}, arena);
    PackedWriter writer;
    append_packed(writer, value);
    require(PackedView::validate(writer.bytes(), 80), "the packed value is broken", source);
    return to_text(value);
}

void fuzz(std::string_view input) {
    if (input.empty()) return;
    static World world;
    const auto rules = static_cast<unsigned char>(input.front());
    world.environment.strict_numbers = (rules & 1) != 0;
    world.environment.missing_is_null = (rules & 2) != 0;
    world.environment.check_types = (rules & 4) != 0;
    const auto source = input.substr(1);
    const auto parsed = parse(source);
    if (!parsed.root) {
        require(!compile(source, world.environment).issues.empty(), "no issue is told", source);
        return;
    }
    const auto text = print(*parsed.root);
    const auto value = evaluated(world, source);
    if (text.size() > source_bytes_max)
        return; // Blanks and escapes may make it longer than the source.
    const auto again = parse(text);
    if (!again.root) {
        // Brackets that printing adds may pass the bound of nesting.
        require(again.fault->message.find("nested too deep") != std::string::npos,
                "what was printed does not parse", text);
        return;
    }
    require(print(*again.root) == text, "printing twice differs", text);
    require(evaluated(world, text) == value, "the printed expression means something else", text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    fuzz({reinterpret_cast<const char*>(data), size});
    return 0;
}

#ifndef SOJOURN_LIBFUZZER
int main(int count, char** names) {
    for (int i = 1; i < count; ++i) {
        std::ifstream file{names[i], std::ios::binary};
        const std::string input{std::istreambuf_iterator<char>{file}, {}};
        fuzz(input);
    }
    std::cout << count - 1 << " inputs replayed\n";
}
#endif
