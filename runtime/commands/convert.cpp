#include "runtime/commands/commands.hpp"
#include "runtime/printable.hpp"

#include "schema/clickstream.hpp"

#include <CLI/Validators.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string format, file;
};

int convert(const Options& options) {
    std::ifstream opened;
    if (options.file != "-") {
        opened.open(options.file);
        if (!opened) {
            std::fprintf(stderr, "%s: cannot be read\n", options.file.c_str());
            return exit_environment;
        }
    }
    std::istream& in = options.file == "-" ? std::cin : opened;
    const schema::LineSink print = [](std::string_view line) {
        std::fwrite(line.data(), 1, line.size(), stdout);
        std::fputc('\n', stdout);
    };
    schema::TaobaoConverter taobao;
    std::string line;
    int exit_code = exit_done;
    for (unsigned long long number = 1; std::getline(in, line); ++number) {
        if (line.empty()) continue;
        const auto converted = options.format == "otto" ? schema::convert_otto(line, print)
                                                        : taobao.convert(line, print);
        if (converted) continue;
        std::fprintf(stderr, "%s:%llu: %s\n", options.file.c_str(), number,
                     printable(converted.error().detail).c_str());
        exit_code = exit_input;
    }
    return exit_code;
}

} // namespace

void add_convert(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("convert", "Recorded clickstreams as Segment messages, one a line");
    const auto options = std::make_shared<Options>();
    command->add_option("format", options->format, "otto | taobao")
        ->required()
        ->check(CLI::IsMember({"otto", "taobao"}));
    command->add_option("file", options->file, "The data set's file, or - for standard input")
        ->required();
    command->callback([options, &exit_code] { exit_code = convert(*options); });
}

} // namespace runtime
