/// What is wrong with a file that people wrote, said so that they can mend it. All of it is
/// collected; nothing stops at the first.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// A place in a text, counted from 1; columns in code points. Line 0: the file as a whole.
struct Place {
    unsigned line = 0, column = 0;
    auto operator<=>(const Place&) const = default;
};

struct Mistake {
    std::string file;
    unsigned line = 0, column = 0; ///< As in `Place`.
    std::string message;
    bool is_warning = false; ///< The file loads all the same.
};

/// `file:line:column: message`, or `file: message` about the file as a whole; with `warning: `
/// before the message of a warning.
std::string to_text(const Mistake& mistake);

/// Collects the mistakes of one file.
class Mistakes {
public:
    explicit Mistakes(std::string file) : file_(std::move(file)) {}

    void add(Place at, std::string message) { put(at, std::move(message), false); }
    void warn(Place at, std::string message) { put(at, std::move(message), true); }
    bool has_errors() const { return errors_ > 0; }
    std::size_t errors() const { return errors_; }
    const std::string& file() const { return file_; }
    /// In the order of the file; said once each. Leaves nothing behind.
    std::vector<Mistake> take();

private:
    void put(Place at, std::string message, bool is_warning);

    std::string file_;
    std::vector<Mistake> list_;
    std::size_t errors_ = 0;
};

/// The mistakes kept of one file; beyond them only their number is said.
inline constexpr std::size_t mistakes_max = 200;

/// The one of `known` that `name` was most likely meant to be; empty where none is near. Case,
/// spaces,
/// `_` and `-` count for little.
std::string_view nearest(std::string_view name, std::span<const std::string> known);

/// ` Did you mean "x"?`, or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

/// `a, b, c`; of a long list the first dozen and how many more there are.
std::string listed(std::span<const std::string> names);

/// `"text"`, cut to a line of reasonable length, control characters replaced.
std::string quoted(std::string_view text);

} // namespace schema
