#include "journeys/cel/value.hpp"

#include "journeys/cel/compare.hpp"
#include "journeys/cel/utf8.hpp"

#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

namespace journeys::cel {
namespace {

constexpr std::string_view too_large = "the result is too large";

const char* copy(std::string_view text, Arena& arena) {
    auto* const place = arena.allocate_array<char>(text.size() + 1);
    if (place == nullptr) return nullptr;
    if (!text.empty()) std::memcpy(place, text.data(), text.size());
    return place;
}

} // namespace

Value Value::string(std::string_view text, Arena& arena) {
    const char* const place = copy(text, arena);
    return place ? string({place, text.size()}) : error(too_large);
}

Value Value::bytes(std::string_view octets, Arena& arena) {
    const char* const place = copy(octets, arena);
    return place ? bytes({place, octets.size()}) : error(too_large);
}

Value Value::timestamp(Timestamp at) {
    const auto millis = to_millis(at);
    const auto below = ((millis % 1000) + 1000) % 1000;
    return timestamp((millis - below) / 1000, static_cast<std::int32_t>(below * 1'000'000));
}

Value Value::packed(PackedView view) {
    switch (view.kind()) {
    case PackedKind::null: return null();
    case PackedKind::boolean_false: return boolean(false);
    case PackedKind::boolean_true: return boolean(true);
    case PackedKind::integer: return integer(view.as_int());
    case PackedKind::floating: return floating(view.as_double());
    case PackedKind::string: return string(view.as_string());
    case PackedKind::list:
    case PackedKind::map: {
        Value made = make(view.is_list() ? Kind::list : Kind::map, 0);
        made.form_ = Form::packed;
        made.text_ = view.data();
        return made;
    }
    }
    return null();
}

Value Value::list(const ListObject* list) {
    if (list == nullptr) return null();
    Value made = make(Kind::list, 0);
    made.form_ = Form::host;
    made.list_ = list;
    return made;
}

Value Value::map(const MapObject* map) {
    if (map == nullptr) return null();
    Value made = make(Kind::map, 0);
    made.form_ = Form::host;
    made.map_ = map;
    return made;
}

Value Value::list(std::span<const Value> items, Arena& arena) {
    auto* const place = arena.allocate_array<Value>(items.size());
    if (place == nullptr) return error(too_large);
    if (!items.empty()) std::memcpy(static_cast<void*>(place), items.data(), items.size_bytes());
    return list_of({place, items.size()});
}

Value Value::list_of(std::span<const Value> items) {
    Value made = make(Kind::list, 0);
    made.form_ = Form::array;
    made.extra_ = static_cast<std::uint32_t>(items.size());
    made.items_ = items.data();
    return made;
}

Value Value::map_of(std::span<const Value> keys_and_values) {
    Value made = list_of(keys_and_values);
    made.kind_ = Kind::map;
    return made;
}

Value Value::optional_of(Value inner, Arena& arena) {
    auto* const place = arena.allocate_array<Value>(1);
    if (place == nullptr) return error(too_large);
    *place = inner;
    Value made = make(Kind::optional, 0);
    made.items_ = place;
    return made;
}

Value Value::error(std::string_view text, std::string_view detail, Arena& arena) {
    auto* const place = arena.allocate_array<char>(text.size() + detail.size() + 1);
    if (place == nullptr) return error(too_large);
    if (!text.empty()) std::memcpy(place, text.data(), text.size());
    if (!detail.empty()) std::memcpy(place + text.size(), detail.data(), detail.size());
    return error({place, text.size() + detail.size()});
}

std::int64_t Value::as_int() const {
    if (kind_ == Kind::floating) {
        if (!(floating_ > -9223372036854775808.0)) return std::numeric_limits<std::int64_t>::min();
        if (!(floating_ < 9223372036854775808.0)) return std::numeric_limits<std::int64_t>::max();
        return static_cast<std::int64_t>(floating_);
    }
    if (kind_ == Kind::unsigned_integer && integer_ < 0) {
        return std::numeric_limits<std::int64_t>::max();
    }
    return integer_;
}

Timestamp Value::as_timestamp() const {
    return from_millis(seconds() * 1000 + nanos() / 1'000'000);
}

std::size_t Value::size() const {
    switch (kind_) {
    case Kind::string: return count_code_points(as_string());
    case Kind::bytes: return extra_;
    case Kind::list:
        if (form_ == Form::array) return extra_;
        return form_ == Form::packed ? packed().size() : list_->size();
    case Kind::map:
        if (form_ == Form::array) return extra_ / 2;
        return form_ == Form::packed ? packed().size() : map_->size();
    case Kind::null:
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
    case Kind::timestamp:
    case Kind::duration:
    case Kind::type:
    case Kind::optional:
    case Kind::object:
    case Kind::error: break;
    }
    return 0;
}

Value Value::at(std::size_t index, Arena& arena) const {
    if (kind_ != Kind::list || index >= size()) return error("there is no item at this index");
    return form_ == Form::host ? list_->at(index, arena) : at(index);
}

Value Value::at(std::size_t index) const {
    assert(form_ != Form::host);
    if (kind_ != Kind::list || index >= size()) return error("there is no item at this index");
    return form_ == Form::array ? items_[index] : packed(packed().at(index));
}

bool Value::find(Value key, Value& found, Arena& arena) const {
    if (kind_ != Kind::map) return false;
    if (key.is(Kind::string)) return find(key.as_string(), found, arena);
    if (form_ == Form::packed) return false; // Its keys are texts.
    if (form_ == Form::host) return map_->find(key, found, arena);
    for (std::size_t i = 0; i < extra_; i += 2) {
        if (same_scalar(items_[i], key)) {
            found = items_[i + 1];
            return true;
        }
    }
    return false;
}

bool Value::find(std::string_view key, Value& found, Arena& arena) const {
    if (kind_ != Kind::map) return false;
    if (form_ == Form::packed) {
        const auto view = packed().find(key);
        if (!view) return false;
        found = packed(view);
        return true;
    }
    if (form_ == Form::host) return map_->find(string(key), found, arena);
    for (std::size_t i = 0; i < extra_; i += 2) {
        if (items_[i].is(Kind::string) && items_[i].as_string() == key) {
            found = items_[i + 1];
            return true;
        }
    }
    return false;
}

} // namespace journeys::cel
