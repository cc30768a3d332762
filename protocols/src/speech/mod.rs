//! How text is read aloud: numbers, times and dates as spoken words, Chinese as pinyin.
