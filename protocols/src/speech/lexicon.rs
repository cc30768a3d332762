//! Words whose characters have several readings, as they occur in warnings, and places of Xiamen.
//!
//! The longest word that fits wins. A character that is in no word has the reading of
//! [`character`], else the first one of the `pinyin` crate.

/// Characters of the longest word.
const WORD_CHARS_MAX: usize = 5;

/// The longest word at the start of `chars`: how many characters, and their syllables.
pub(super) fn longest_at(chars: &[char]) -> Option<(usize, &'static str)> {
    let first = *chars.first()?;
    (2..=WORD_CHARS_MAX.min(chars.len())).rev().find_map(|length| {
        let is_here = |word: &str| {
            word.starts_with(first) && word.chars().eq(chars[..length].iter().copied())
        };
        let (_, syllables) = WORDS.iter().find(|(word, _)| is_here(word))?;
        Some((length, *syllables))
    })
}

/// Our own reading of one character outside the words.
pub(super) fn character(c: char) -> Option<&'static str> {
    CHARACTERS.iter().find(|(own, _)| *own == c).map(|(_, syllable)| *syllable)
}

/// The usual reading in this field where the crate's first is another, or must not drift.
const CHARACTERS: [(char, &str); 66] = [
    ('厦', "xia4"),
    ('长', "chang2"),
    ('为', "wei2"),
    ('了', "le5"),
    ('的', "de5"),
    ('们', "men5"),
    ('吗', "ma5"),
    ('吧', "ba5"),
    ('呢', "ne5"),
    ('么', "me5"),
    ('着', "zhe5"),
    ('得', "de2"),
    ('干', "gan1"),
    ('脏', "zang1"),
    ('铺', "pu1"),
    ('垵', "an1"),
    ('圩', "xu1"),
    ('幺', "yao1"),
    ('两', "liang3"),
    ('〇', "ling2"),
    ('切', "qie4"),
    ('背', "bei4"),
    ('薄', "bao2"),
    ('弹', "dan4"),
    ('血', "xue4"),
    ('观', "guan1"),
    ('冠', "guan1"),
    ('占', "zhan4"),
    ('撒', "sa3"),
    ('曾', "ceng2"),
    ('嶝', "deng4"),
    ('厝', "cuo4"),
    ('大', "da4"),
    ('还', "hai2"),
    ('都', "dou1"),
    ('当', "dang1"),
    ('倒', "dao4"),
    ('没', "mei2"),
    ('差', "cha4"),
    ('散', "san4"),
    ('塞', "sai1"),
    ('数', "shu4"),
    ('重', "zhong4"),
    ('调', "diao4"),
    ('行', "xing2"),
    ('降', "jiang4"),
    ('处', "chu4"),
    ('应', "ying1"),
    ('供', "gong1"),
    ('难', "nan2"),
    ('发', "fa1"),
    ('地', "di4"),
    ('落', "luo4"),
    ('涨', "zhang3"),
    ('更', "geng4"),
    ('转', "zhuan3"),
    ('相', "xiang1"),
    ('省', "sheng3"),
    ('宿', "su4"),
    ('载', "zai4"),
    ('兴', "xing1"),
    ('只', "zhi3"),
    ('尽', "jin4"),
    ('系', "xi4"),
    ('朝', "chao2"),
    ('和', "he2"),
];

// Several words a line stay readable.
#[rustfmt::skip]
const WORDS: [(&str, &str); 329] = [
    // Move, shelter, danger.
    ("转移", "zhuan3 yi2"), ("避难", "bi4 nan4"), ("灾难", "zai1 nan4"), ("遇难", "yu4 nan4"),
    ("难民", "nan4 min2"), ("逃难", "tao2 nan4"), ("受难", "shou4 nan4"), ("应急", "ying4 ji2"),
    ("应对", "ying4 dui4"), ("响应", "xiang3 ying4"), ("反应", "fan3 ying4"),
    ("适应", "shi4 ying4"), ("供应", "gong1 ying4"), ("应用", "ying4 yong4"),
    ("相应", "xiang1 ying4"), ("应答", "ying4 da2"), ("叫应", "jiao4 ying4"),
    ("接应", "jie1 ying4"), ("应变", "ying4 bian4"), ("淹没", "yan1 mo4"), ("沉没", "chen2 mo4"),
    ("埋没", "mai2 mo4"), ("倒塌", "dao3 ta1"), ("倒伏", "dao3 fu2"), ("倒下", "dao3 xia4"),
    ("倒树", "dao3 shu4"), ("吹倒", "chui1 dao3"), ("刮倒", "gua1 dao3"), ("摔倒", "shuai1 dao3"),
    ("滑倒", "hua2 dao3"), ("压倒", "ya1 dao3"), ("卧倒", "wo4 dao3"), ("中暑", "zhong4 shu3"),
    ("中毒", "zhong4 du2"), ("击中", "ji1 zhong4"), ("砸中", "za2 zhong4"),
    ("着火", "zhao2 huo3"), ("着陆", "zhuo2 lu4"), ("穿着", "chuan1 zhuo2"),
    ("着落", "zhuo2 luo4"), ("着手", "zhuo2 shou3"), ("着急", "zhao2 ji2"),
    ("着凉", "zhao2 liang2"), ("睡着", "shui4 zhao2"), ("降雨", "jiang4 yu3"),
    ("投降", "tou2 xiang2"), ("疏散", "shu1 san4"), ("分散", "fen1 san4"), ("松散", "song1 san3"),
    ("漂浮", "piao1 fu2"), ("停泊", "ting2 bo2"), ("泊位", "bo2 wei4"), ("漂泊", "piao1 bo2"),
    ("堵塞", "du3 se4"), ("阻塞", "zu3 se4"), ("淤塞", "yu1 se4"), ("提防", "di1 fang5"),
    ("切断", "qie1 duan4"), ("切割", "qie1 ge1"), ("圩堤", "wei2 di1"), ("圩区", "wei2 qu1"),
    ("强劲", "qiang2 jing4"), ("勉强", "mian3 qiang3"), ("强迫", "qiang3 po4"),
    ("间歇", "jian4 xie1"), ("间隔", "jian4 ge2"), ("间断", "jian4 duan4"), ("露天", "lu4 tian1"),
    ("暴露", "bao4 lu4"),
    // Saying and deciding.
    ("重新", "chong2 xin1"), ("重复", "chong2 fu4"), ("重建", "chong2 jian4"),
    ("重返", "chong2 fan3"), ("重启", "chong2 qi3"), ("重播", "chong2 bo1"),
    ("双重", "shuang1 chong2"), ("调整", "tiao2 zheng3"), ("协调", "xie2 tiao2"),
    ("空调", "kong1 tiao2"), ("调节", "tiao2 jie2"), ("调解", "tiao2 jie3"),
    ("调休", "tiao2 xiu1"), ("处理", "chu3 li3"), ("处置", "chu3 zhi4"), ("处于", "chu3 yu2"),
    ("处在", "chu3 zai4"), ("处罚", "chu3 fa2"), ("处分", "chu3 fen4"), ("更新", "geng1 xin1"),
    ("更换", "geng1 huan4"), ("更改", "geng1 gai3"), ("更正", "geng1 zheng4"),
    ("变更", "bian4 geng1"), ("旋转", "xuan2 zhuan3"), ("转动", "zhuan4 dong4"),
    ("因为", "yin1 wei4"), ("为了", "wei4 le5"), ("为何", "wei4 he2"),
    ("为什么", "wei4 shen2 me5"), ("为您", "wei4 nin2"), ("为大家", "wei4 da4 jia1"),
    ("为防", "wei4 fang2"), ("为确保", "wei4 que4 bao3"), ("为避免", "wei4 bi4 mian3"),
    ("为保障", "wei4 bao3 zhang4"), ("为此", "wei4 ci3"), ("尽快", "jin3 kuai4"),
    ("尽量", "jin3 liang4"), ("尽早", "jin3 zao3"), ("尽可能", "jin3 ke3 neng2"),
    ("系好", "ji4 hao3"), ("系紧", "ji4 jin3"), ("系牢", "ji4 lao2"), ("给予", "ji3 yu3"),
    ("补给", "bu3 ji3"), ("供给", "gong1 ji3"), ("自给", "zi4 ji3"), ("要求", "yao1 qiu2"),
    ("归还", "gui1 huan2"), ("返还", "fan3 huan2"), ("还原", "huan2 yuan2"),
    ("什么", "shen2 me5"), ("怎么", "zen3 me5"), ("了解", "liao3 jie3"),
    ("受不了", "shou4 bu5 liao3"), ("来不及", "lai2 bu5 ji2"), ("来得及", "lai2 de5 ji2"),
    ("不得", "bu4 de2"), ("得到", "de2 dao4"), ("获得", "huo4 de2"), ("取得", "qu3 de2"),
    ("必须得", "bi4 xu1 dei3"), ("使得", "shi3 de5"), ("显得", "xian3 de5"), ("变得", "bian4 de5"),
    ("觉得", "jue2 de5"), ("值得", "zhi2 de5"), ("记得", "ji4 de5"), ("懂得", "dong3 de5"),
    ("迅速地", "xun4 su4 de5"), ("及时地", "ji2 shi2 de5"), ("有序地", "you3 xu4 de5"),
    ("尽快地", "jin3 kuai4 de5"), ("不断地", "bu2 duan4 de5"),
    ("安全地转移", "an1 quan2 de5 zhuan3 yi2"), ("安全地撤离", "an1 quan2 de5 che4 li2"),
    ("慢慢地", "man4 man4 de5"), ("适当", "shi4 dang4"), ("妥当", "tuo3 dang4"),
    ("不当", "bu2 dang4"), ("当作", "dang4 zuo4"), ("当成", "dang4 cheng2"),
    ("计算", "ji4 suan4"), ("累计", "lei3 ji4"), ("累积", "lei3 ji1"), ("积累", "ji1 lei3"),
    ("率领", "shuai4 ling3"), ("率先", "shuai4 xian1"), ("测量", "ce4 liang2"),
    ("衡量", "heng2 liang2"), ("数不清", "shu3 bu5 qing1"), ("部分", "bu4 fen5"),
    ("成分", "cheng2 fen4"), ("水分", "shui3 fen4"), ("充分", "chong1 fen4"),
    ("过分", "guo4 fen4"), ("差异", "cha1 yi4"), ("误差", "wu4 cha1"), ("温差", "wen1 cha1"),
    ("出差", "chu1 chai1"), ("几乎", "ji1 hu1"), ("似的", "shi4 de5"), ("薄弱", "bo2 ruo4"),
    ("积极", "ji1 ji2"), ("记载", "ji4 zai3"), ("答应", "da1 ying5"), ("背包", "bei1 bao1"),
    ("结实", "jie1 shi5"), ("校准", "jiao4 zhun3"), ("校对", "jiao4 dui4"), ("会计", "kuai4 ji4"),
    ("关卡", "guan1 qia3"), ("卡口", "qia3 kou3"), ("恐吓", "kong3 he4"),
    // 一 and 不 whose tone is fixed.
    ("一切", "yi2 qie4"), ("一定", "yi2 ding4"), ("一律", "yi2 lv4"), ("一旦", "yi2 dan4"),
    ("一线", "yi2 xian4"), ("统一", "tong3 yi1"), ("唯一", "wei2 yi1"), ("万一", "wan4 yi1"),
    ("之一", "zhi1 yi1"), ("一一", "yi1 yi1"), ("一二", "yi1 er4"), ("一是", "yi1 shi4"),
    // Persons, places, things.
    ("银行", "yin2 hang2"), ("行业", "hang2 ye4"), ("商行", "shang1 hang2"),
    ("排行", "pai2 hang2"), ("镇长", "zhen4 zhang3"), ("村长", "cun1 zhang3"),
    ("区长", "qu1 zhang3"), ("市长", "shi4 zhang3"), ("校长", "xiao4 zhang3"),
    ("组长", "zu3 zhang3"), ("局长", "ju2 zhang3"), ("县长", "xian4 zhang3"),
    ("部长", "bu4 zhang3"), ("院长", "yuan4 zhang3"), ("站长", "zhan4 zhang3"),
    ("队长", "dui4 zhang3"), ("班长", "ban1 zhang3"), ("所长", "suo3 zhang3"),
    ("处长", "chu4 zhang3"), ("家长", "jia1 zhang3"), ("会长", "hui4 zhang3"),
    ("河长", "he2 zhang3"), ("船长", "chuan2 zhang3"), ("网格长", "wang3 ge2 zhang3"),
    ("田长", "tian2 zhang3"), ("首长", "shou3 zhang3"), ("长辈", "zhang3 bei4"),
    ("增长", "zeng1 zhang3"), ("生长", "sheng1 zhang3"), ("成长", "cheng2 zhang3"),
    ("干部", "gan4 bu4"), ("骨干", "gu3 gan4"), ("干流", "gan4 liu2"), ("干道", "gan4 dao4"),
    ("干线", "gan4 xian4"), ("主干", "zhu3 gan4"), ("干活", "gan4 huo2"), ("才干", "cai2 gan4"),
    ("苦干", "ku3 gan4"), ("子女", "zi3 nv3"), ("电子", "dian4 zi3"), ("子弟", "zi3 di4"),
    ("一只", "yi4 zhi1"), ("两只", "liang3 zhi1"), ("船只", "chuan2 zhi1"),
    ("少年", "shao4 nian2"), ("老少", "lao3 shao4"), ("种植", "zhong4 zhi2"),
    ("种田", "zhong4 tian2"), ("栽种", "zai1 zhong4"), ("播种", "bo1 zhong3"),
    ("空地", "kong4 di4"), ("空隙", "kong4 xi4"), ("空白", "kong4 bai2"), ("首都", "shou3 du1"),
    ("都市", "du1 shi4"), ("成都", "cheng2 du1"), ("头发", "tou2 fa5"), ("理发", "li3 fa4"),
    ("睡觉", "shui4 jiao4"), ("放假", "fang4 jia4"), ("假期", "jia4 qi1"), ("假日", "jia4 ri4"),
    ("节假日", "jie2 jia4 ri4"), ("请假", "qing3 jia4"), ("寒假", "han2 jia4"),
    ("暑假", "shu3 jia4"), ("高兴", "gao1 xing4"), ("歌曲", "ge1 qu3"), ("铺面", "pu4 mian4"),
    ("店铺", "dian4 pu4"), ("床铺", "chuang2 pu4"), ("心脏", "xin1 zang4"),
    ("内脏", "nei4 zang4"), ("西藏", "xi1 zang4"), ("包扎", "bao1 za1"), ("扎紧", "za1 jin3"),
    ("暖和", "nuan3 huo5"), ("便宜", "pian2 yi5"), ("宁可", "ning4 ke3"), ("冠军", "guan4 jun1"),
    ("模样", "mu2 yang4"), ("宿舍", "su4 she4"), ("校舍", "xiao4 she4"), ("晕倒", "yun1 dao3"),
    ("孩子", "hai2 zi5"), ("好好", "hao3 hao1"), ("朋友", "peng2 you5"), ("时候", "shi2 hou5"),
    ("地方", "di4 fang5"), ("消息", "xiao1 xi5"), ("清楚", "qing1 chu5"), ("大夫", "dai4 fu5"),
    ("大厦", "da4 sha4"), ("广厦", "guang3 sha4"), ("老人家", "lao3 ren2 jia5"),
    // Places of Xiamen and around.
    ("厦门", "xia4 men2"), ("同安", "tong2 an1"), ("翔安", "xiang2 an1"), ("筼筜", "yun2 dang1"),
    ("灌口", "guan4 kou3"), ("后溪", "hou4 xi1"), ("莲花", "lian2 hua1"), ("大嶝", "da4 deng4"),
    ("小嶝", "xiao3 deng4"), ("马巷", "ma3 xiang4"), ("新圩", "xin1 xu1"), ("内厝", "nei4 cuo4"),
    ("汀溪", "ting1 xi1"), ("东孚", "dong1 fu2"), ("嵩屿", "song1 yu3"),
    ("鼓浪屿", "gu3 lang4 yu3"), ("曾厝垵", "zeng1 cuo4 an1"), ("曾厝", "zeng1 cuo4"),
    ("曾坂", "zeng1 ban3"), ("曾林", "zeng1 lin2"), ("曾营", "zeng1 ying2"),
    ("姓曾", "xing4 zeng1"), ("阳翟", "yang2 zhai2"), ("卿朴", "qing1 pu3"),
    ("槟榔", "bing1 lang5"), ("澳头", "ao4 tou2"), ("长乐", "chang2 le4"), ("莆田", "pu2 tian2"),
    ("台湾", "tai2 wan1"), ("台州", "tai1 zhou1"), ("前埔", "qian2 pu3"), ("浒井", "hu3 jing3"),
    ("吴冠", "wu2 guan1"), ("店仔", "dian4 zai3"), ("洪塘", "hong2 tang2"), ("西柯", "xi1 ke1"),
    ("五显", "wu3 xian3"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_as_many_syllables_as_characters() {
        let is_syllable = |s: &str| {
            let (letters, tone) = s.split_at(s.len() - 1);
            !letters.is_empty()
                && letters.bytes().all(|b| b.is_ascii_lowercase())
                && matches!(tone, "1" | "2" | "3" | "4" | "5")
        };
        for (word, syllables) in WORDS {
            assert_eq!(word.chars().count(), syllables.split(' ').count(), "{word}");
            assert!(word.chars().count() <= WORD_CHARS_MAX, "{word}");
            assert!(syllables.split(' ').all(is_syllable), "{word}");
        }
        assert!(CHARACTERS.iter().all(|(_, s)| is_syllable(s)));
    }

    #[test]
    fn the_longest_word_wins() {
        let chars: Vec<char> = "曾厝垵".chars().collect();
        assert_eq!(longest_at(&chars), Some((3, "zeng1 cuo4 an1")));
        assert_eq!(longest_at(&chars[1..]), None);
    }
}
